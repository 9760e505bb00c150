variable "model_name" {
  description = "The model that writes SQL: a Claude inference profile or model of Bedrock, or an ARN, which needs model_arns; calls of a global. profile may leave your geography, those of us., eu. and their kin do not."
  type        = string
  default     = "global.anthropic.claude-sonnet-4-6"
  nullable    = false

  validation {
    condition     = can(regex("^([a-z-]+\\.)?anthropic\\.claude-[a-z0-9-]+(:\\d+)?$", var.model_name)) || can(regex("^arn:[^:]+:bedrock:[a-z0-9-]+:(\\d{12})?:(foundation-model|inference-profile|application-inference-profile)/.+$", var.model_name))
    error_message = "model_name must be like global.anthropic.claude-sonnet-4-6 or anthropic.claude-sonnet-4-6, or the ARN of a model or an inference profile."
  }

  validation {
    condition     = !startswith(var.model_name, "arn:") || length(var.model_arns) > 0
    error_message = "model_name is an ARN, so model_arns must tell which models stand behind it."
  }
}

variable "model_regions" {
  description = "The Regions that a geographic profile such as us. or eu. sends calls to; without them its model may be called in each Region that the profile reaches."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for region in var.model_regions : can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", region))])
    error_message = "model_regions must be names of Regions."
  }
}

variable "model_arns" {
  description = "The ARNs that may be called, the profile's and those of the models behind it; without them, they follow from model_name."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.model_arns : can(regex("^arn:[^:]+:bedrock:[a-z0-9*-]*:(\\d{12})?:(foundation-model|inference-profile|application-inference-profile)/[^,*]+$", arn))])
    error_message = "model_arns must be ARNs of models and inference profiles of Bedrock, without a star in their names."
  }
}

variable "knowledge_base" {
  description = "Where documents are searched: none (in the functions themselves), or pinecone (a knowledge base of Bedrock on an index of Pinecone)."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "pinecone"], var.knowledge_base)
    error_message = "knowledge_base must be none or pinecone."
  }
}

variable "pinecone_connection_string" {
  description = "The host of Pinecone's index, of 1024 dimensions with the metric cosine; only once the secret of its key has a value."
  type        = string
  default     = null

  validation {
    condition     = var.pinecone_connection_string == null || can(regex("^https://[a-z0-9.-]+\\.pinecone\\.io$", var.pinecone_connection_string))
    error_message = "pinecone_connection_string must be like https://<index>.svc.<environment>.pinecone.io."
  }

  validation {
    condition     = var.pinecone_connection_string == null || var.knowledge_base == "pinecone" && var.knowledge_bucket != null
    error_message = "pinecone_connection_string needs knowledge_base = \"pinecone\" and knowledge_bucket."
  }
}

variable "pinecone_namespace" {
  description = "The namespace of the index that sections are kept in."
  type        = string
  default     = "text2sql"
  nullable    = false
}

variable "pinecone_fields" {
  description = "The fields of a record of the index that hold the text and what Bedrock notes about it."
  type        = object({ text = string, metadata = string })
  default     = { text = "text", metadata = "metadata" }
  nullable    = false
}

variable "knowledge_bucket" {
  description = "The bucket Knowledge of template.yaml, its output KnowledgeBucket; there is none before the first sam deploy."
  type        = string
  default     = null

  validation {
    condition     = var.knowledge_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.knowledge_bucket))
    error_message = "knowledge_bucket must be the name of a bucket."
  }
}

variable "model_invocation_logging" {
  description = "Whether Bedrock logs each call with prompt and reply, which hold questions and what is in the database; it holds for all of the account's calls in the Region."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_bedrock_agent" {
  description = "Whether there is a classic Bedrock Agent too, which AWS has closed to new customers; nothing here needs it."
  type        = bool
  default     = false
  nullable    = false
}

variable "agent_idle_seconds" {
  description = "How long a session of the agent lasts after its last message."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.agent_idle_seconds >= 60 && var.agent_idle_seconds <= 5400 && floor(var.agent_idle_seconds) == var.agent_idle_seconds
    error_message = "agent_idle_seconds must be a whole number from 60 to 5400."
  }
}

variable "agent_action_lambda_arn" {
  description = "The function that answers the agent's questions with the workflow; without it the agent knows documents alone. No such function is part of text2sql."
  type        = string
  default     = null

  validation {
    condition     = var.agent_action_lambda_arn == null || can(regex("^arn:[^:]+:lambda:[^:]+:\\d{12}:function:[\\w-]+(:[\\w-]+)?$", var.agent_action_lambda_arn))
    error_message = "agent_action_lambda_arn must be the ARN of a function, arn:aws:lambda:<Region>:<account>:function:<name>."
  }
}

variable "agent_kms_key_arn" {
  description = "The ARN of the KMS key that encrypts the agent; without it, a key of AWS does."
  type        = string
  default     = null

  validation {
    condition     = var.agent_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:\\d{12}:key/.+$", var.agent_kms_key_arn))
    error_message = "agent_kms_key_arn must be the ARN of a KMS key, arn:aws:kms:<Region>:<account>:key/<id>."
  }
}

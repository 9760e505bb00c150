variable "image_tags" {
  description = "The tags of the images of frontend and backend, such as a commit; a service without one runs no task, for its repository is empty at first."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.image_tags), ["frontend", "backend"])) == 0
    error_message = "image_tags may name tags of frontend and backend."
  }

  validation {
    condition     = alltrue([for tag in values(var.image_tags) : can(regex("^\\w[\\w.-]{0,127}$", tag))])
    error_message = "image_tags must be tags of images, up to 128 letters, digits and ._- each."
  }
}

variable "image_repositories" {
  description = "Repositories in place of those that are made here: frontend, backend."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.image_repositories), ["frontend", "backend"])) == 0
    error_message = "image_repositories may name repositories of frontend and backend."
  }
}

variable "log_router_image" {
  description = "The image of the side-car that takes logs to Firehose; pin its tag or digest for prod."
  type        = string
  default     = "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"
  nullable    = false
}

variable "log_router_config" {
  description = "A configuration in that image with an output of its own: /fluent-bit/text2sql/firehose.conf in that of containers/fluent-bit; without it, the parser of AWS's image and an output that is written here."
  type        = string
  default     = null
}

variable "log_router_user" {
  description = "The number of the user that the side-car runs as; AWS's image is made for root."
  type        = number
  default     = 0
  nullable    = false
}

variable "tasks" {
  description = "How many tasks each service has, at least and at most."
  type        = object({ frontend = object({ min = number, max = number }), backend = object({ min = number, max = number }) })
  default     = { frontend = { min = 1, max = 4 }, backend = { min = 1, max = 4 } }
  nullable    = false

  validation {
    condition     = alltrue([for each in values(var.tasks) : each.min >= 0 && each.max >= max(each.min, 1)])
    error_message = "tasks must have a min of 0 or more for each service, and a max that is not less than it."
  }
}

variable "task_cpu" {
  description = "What a task may use of the processor; 1024 is one vCPU."
  type        = number
  default     = 1024
  nullable    = false
}

variable "task_memory" {
  description = "What a task may use of memory, in MiB."
  type        = number
  default     = 4096
  nullable    = false
}

variable "scaling_targets" {
  description = "What services are scaled to: percent of CPU, percent of memory, requests a minute for each task."
  type        = object({ cpu = number, memory = number, requests = number })
  default     = { cpu = 60, memory = 70, requests = 600 }
  nullable    = false

  validation {
    condition     = alltrue([for percent in [var.scaling_targets.cpu, var.scaling_targets.memory] : percent > 0 && percent <= 100]) && var.scaling_targets.requests > 0
    error_message = "scaling_targets must have cpu and memory from 1 to 100, and requests above 0."
  }
}

variable "fargate_base" {
  description = "How many tasks of a service run on Fargate before any runs on Fargate Spot."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.fargate_base >= 0
    error_message = "fargate_base must be 0 or more."
  }
}

variable "capacity_weights" {
  description = "By what shares the tasks beyond the base are spread: of Fargate and Fargate Spot, and of the EC2 instances."
  type        = object({ fargate = number, fargate_spot = number, ec2 = number })
  default     = { fargate = 50, fargate_spot = 50, ec2 = 50 }
  nullable    = false

  validation {
    condition     = alltrue([for weight in values(var.capacity_weights) : weight >= 0 && weight <= 1000]) && var.capacity_weights.fargate + var.capacity_weights.fargate_spot > 0 && var.capacity_weights.ec2 > 0
    error_message = "capacity_weights must be 0 to 1000, that of ec2 and one of the others above 0."
  }
}

variable "ec2_capacity" {
  description = "Whether the cluster has EC2 instances too."
  type        = bool
  default     = false
  nullable    = false
}

variable "ec2_services" {
  description = "The services that run on those instances; ECS lets no service run on Fargate and on instances of a group at once."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.ec2_services, ["frontend", "backend"])) == 0
    error_message = "ec2_services may name frontend and backend."
  }

  validation {
    condition     = var.ec2_capacity || length(var.ec2_services) == 0
    error_message = "ec2_services need ec2_capacity."
  }
}

variable "ec2_base" {
  description = "How many tasks of such a service run on the instances at least."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.ec2_base >= 0
    error_message = "ec2_base must be 0 or more."
  }
}

variable "ec2_instance_type" {
  description = "The type of the instances; one with x86 processors."
  type        = string
  default     = "m6i.xlarge"
  nullable    = false
}

variable "ec2_instances_max" {
  description = "How many instances there may be."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.ec2_instances_max >= 1
    error_message = "ec2_instances_max must be 1 or more."
  }
}

variable "execute_command" {
  description = "Whether a shell may be opened in a running task; its root file system is then writable, and what is typed is logged."
  type        = bool
  default     = false
  nullable    = false
}

variable "api_environment" {
  description = "Settings of the API, as docs/configuration.md lists them, beside those that are known here; no secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.api_environment) : can(regex("^(TEXT2SQL|AWS)_[A-Z0-9_]+$", name)) && !can(regex("(PASSWORD|API_KEY|GATEWAY_SECRET)$", name))])
    error_message = "api_environment takes names that begin with TEXT2SQL_ or AWS_, and no passwords or keys: those are for api_secrets."
  }
}

variable "api_secrets" {
  description = "Settings of the API that are secrets: from their names to ARNs of Secrets Manager."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.api_secrets) : can(regex("^arn:[^:]+:secretsmanager:[^:]+:\\d{12}:secret:.+$", arn))])
    error_message = "api_secrets must be ARNs of secrets, arn:aws:secretsmanager:<Region>:<account>:secret:<name>."
  }
}

variable "page_environment" {
  description = "What the page's container finds in its environment; no secrets."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "gateway_secret" {
  description = "What the gateway proves itself with to the API, one word of 16 characters or more; it goes to Secrets Manager and into no state."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.gateway_secret == null || can(regex("^[\\w-]{16,128}$", var.gateway_secret))
    error_message = "gateway_secret must be one word of 16 to 128 letters, digits, _ or -."
  }

  validation {
    condition     = var.gateway_secret != null || var.gateway_secret_version == 0
    error_message = "gateway_secret must be given with each run while gateway_secret_version is above 0; it is written only when that is raised."
  }
}

variable "gateway_secret_version" {
  description = "A number that is raised with each new gateway_secret; at 0 none has been given yet."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.gateway_secret_version >= 0 && floor(var.gateway_secret_version) == var.gateway_secret_version
    error_message = "gateway_secret_version must be a whole number, 0 or more."
  }
}

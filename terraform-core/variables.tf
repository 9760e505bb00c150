variable "stage" {
  description = "The deployment's name, as in template.yaml: dev or prod."
  type        = string
  default     = "dev"
  nullable    = false

  validation {
    condition     = contains(["dev", "prod"], var.stage)
    error_message = "stage must be dev or prod."
  }
}

variable "tags" {
  description = "Tags of everything that is made here."
  type        = map(string)
  default     = { application = "text2sql" }
  nullable    = false
}

variable "destroyable" {
  description = "Whether all that is made here may be destroyed: nothing refuses to be deleted, full buckets and repositories neither, and secrets are gone at once; apply it before terraform destroy."
  type        = bool
  default     = false
  nullable    = false
}

variable "guardrail_file" {
  description = "The guardrail's policy, as docs/guardrails.md describes it; the path counts from where Terraform runs."
  type        = string
  default     = "../guardrail.yaml"
  nullable    = false

  validation {
    condition     = can(keys(yamldecode(file(var.guardrail_file))))
    error_message = "guardrail_file must name a YAML file of sections, as docs/guardrails.md describes them."
  }
}

variable "guardrail_kms_key_arn" {
  description = "The ARN of the KMS key that encrypts the guardrail; without it, a key of AWS does."
  type        = string
  default     = null

  validation {
    condition     = var.guardrail_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:\\d{12}:key/.+$", var.guardrail_kms_key_arn))
    error_message = "guardrail_kms_key_arn must be the ARN of a KMS key, arn:aws:kms:<Region>:<account>:key/<id>."
  }
}

variable "alarm_emails" {
  description = "Who is told of alarms by e-mail; each must confirm it once."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "alarm_emails must be e-mail addresses."
  }
}

variable "certificate_arn" {
  description = "The ARN of the certificate in ACM for both load balancers; without it they speak plain HTTP on port 80, which is for a trial alone."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:[^:]+:acm:[^:]+:\\d{12}:certificate/.+$", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate, arn:aws:acm:<Region>:<account>:certificate/<id>."
  }
}

variable "hosted_zone_id" {
  description = "The Route 53 zone that gets a record for each of the names; without it, none is made."
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null || can(regex("^Z[A-Z0-9]+$", var.hosted_zone_id))
    error_message = "hosted_zone_id must be the id of a zone, such as Z0123456789ABCDEFGHIJ."
  }
}

variable "frontend_domain" {
  description = "The page's name, which the certificate holds; without it, the load balancer's own name."
  type        = string
  default     = null

  validation {
    condition     = var.frontend_domain == null || can(regex("^[a-z0-9.-]+\\.[a-z]+$", var.frontend_domain))
    error_message = "frontend_domain must be a name such as ask.example.com, without https://."
  }
}

variable "backend_domain" {
  description = "The API's name, which the certificate holds; without it, the load balancer's own name."
  type        = string
  default     = null

  validation {
    condition     = var.backend_domain == null || can(regex("^[a-z0-9.-]+\\.[a-z]+$", var.backend_domain))
    error_message = "backend_domain must be a name such as api.example.com, without https://."
  }
}

variable "frontend_health_path" {
  description = "The path at which the page tells that it is well."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/[\\w./-]*$", var.frontend_health_path))
    error_message = "frontend_health_path must be a path such as /healthz."
  }
}

variable "idle_timeout_seconds" {
  description = "How long a connection may be silent; the API's event streams say something every 15 seconds, and a synchronous answer may take 60."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.idle_timeout_seconds > 60 && var.idle_timeout_seconds <= 4000
    error_message = "idle_timeout_seconds must be more than 60, which a synchronous answer may take, and at most 4000."
  }
}

variable "load_balancer_deletion_protection" {
  description = "Whether the load balancers refuse to be deleted; without a word, they do in prod."
  type        = bool
  default     = null
}

variable "shield_advanced" {
  description = "Whether Shield Advanced protects the load balancers; the account must have subscribed to it before."
  type        = bool
  default     = false
  nullable    = false
}

variable "rate_limit" {
  description = "How many requests one address may send to a load balancer in five minutes."
  type        = number
  default     = 2000
  nullable    = false

  validation {
    condition     = var.rate_limit >= 10 && var.rate_limit <= 2000000000
    error_message = "rate_limit must be from 10 to 2000000000, which WAF takes."
  }
}

variable "bot_control" {
  description = "Whether WAF's bot control looks at requests too, for a fee of its own."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_thresholds" {
  description = "Thresholds of alarms other than those in docs/infrastructure.md, by their names."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition = length(setsubtract(keys(var.alarm_thresholds), [
      "service_cpu_percent", "service_memory_percent", "database_cpu_percent", "database_connections",
      "database_free_gib", "database_read_seconds", "database_write_seconds", "replica_lag_seconds",
      "frontend_response_seconds", "backend_response_seconds", "target_5xx", "load_balancer_5xx",
      "unhealthy_targets", "healthy_targets",
    ])) == 0
    error_message = "alarm_thresholds names a threshold that no alarm has; docs/infrastructure.md lists them."
  }

  validation {
    condition     = alltrue([for value in values(var.alarm_thresholds) : value > 0])
    error_message = "alarm_thresholds must be above 0."
  }

  validation {
    condition     = alltrue([for name, value in var.alarm_thresholds : value <= 100 if endswith(name, "_percent")])
    error_message = "alarm_thresholds in percent must be 100 at most."
  }
}

variable "monthly_budget" {
  description = "What the account may cost in a month, in USD, before somebody is told; 0 for no budget."
  type        = number
  default     = 1200
  nullable    = false

  validation {
    condition     = var.monthly_budget >= 0
    error_message = "monthly_budget must be 0 or more."
  }
}

variable "watch_spending_anomalies" {
  description = "Whether unusual costs are told; without it, they are where alarm_emails names somebody."
  type        = bool
  default     = null
}

variable "anomaly_monitor_arn" {
  description = "The ARN of the account's monitor of costs by service, where it has one already; AWS makes one in new accounts."
  type        = string
  default     = null

  validation {
    condition     = var.anomaly_monitor_arn == null || can(regex("^arn:[^:]+:ce::\\d{12}:anomalymonitor/.+$", var.anomaly_monitor_arn))
    error_message = "anomaly_monitor_arn must be the ARN of a monitor, arn:aws:ce::<account>:anomalymonitor/<id>."
  }
}

variable "anomaly_amount" {
  description = "From which unusual cost on somebody is told, in USD."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.anomaly_amount > 0
    error_message = "anomaly_amount must be above 0."
  }
}

variable "trail" {
  description = "Whether CloudTrail keeps what is done in all Regions of the account; without it, it does in prod. Turn it off where the account has such a trail."
  type        = bool
  default     = null
}

variable "audit_retention_days" {
  description = "How long the trail and AWS Config's history are kept, in days."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = var.audit_retention_days >= 90
    error_message = "audit_retention_days must be 90 or more."
  }
}

variable "config_recorder" {
  description = "Whether AWS Config records the account's resources and holds them to rules; a Region of an account has one recorder."
  type        = bool
  default     = false
  nullable    = false
}

variable "threat_detection" {
  description = "Whether GuardDuty looks for threats; a Region of an account has one detector."
  type        = bool
  default     = false
  nullable    = false
}

variable "recovery_region" {
  description = "The Region that the images of the containers and the secrets of the database's accounts are copied to; without it, to none. A Region of an account has one such setting."
  type        = string
  default     = null

  validation {
    condition     = var.recovery_region == null || can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.recovery_region))
    error_message = "recovery_region must be the name of a Region."
  }
}

variable "knowledge_copy_bucket" {
  description = "The bucket in recovery_region that what people know is copied to: the output KnowledgeBucket of the template's stack there. It takes knowledge_bucket, too."
  type        = string
  default     = null

  validation {
    condition     = var.knowledge_copy_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.knowledge_copy_bucket))
    error_message = "knowledge_copy_bucket must be the name of a bucket."
  }

  validation {
    condition     = var.knowledge_copy_bucket == null || var.knowledge_bucket != null && var.recovery_region != null
    error_message = "knowledge_copy_bucket must stand beside knowledge_bucket and recovery_region."
  }
}

variable "failover_zone_id" {
  description = "The zone of Route 53 that the names in failover_targets are in."
  type        = string
  default     = null
}

variable "failover_targets" {
  description = "For each name in that zone the load balancers of both Regions: primary_dns_name, primary_zone_id, secondary_dns_name, secondary_zone_id, and the path that is looked at, / if there is none."
  type        = map(map(string))
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for target in values(var.failover_targets) : length(setsubtract(
        ["primary_dns_name", "primary_zone_id", "secondary_dns_name", "secondary_zone_id"], keys(target),
      )) == 0 && length(setsubtract(keys(target), ["primary_dns_name", "primary_zone_id", "secondary_dns_name", "secondary_zone_id", "path"])) == 0
    ])
    error_message = "failover_targets must give primary_dns_name, primary_zone_id, secondary_dns_name and secondary_zone_id, and may give path."
  }
}

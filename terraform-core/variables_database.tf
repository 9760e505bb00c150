variable "mysql_version" {
  description = "MySQL's version, 8.0 or 8.4; of 8.0 the standard support has ended, so RDS charges Extended Support for it."
  type        = string
  default     = "8.0"
  nullable    = false

  validation {
    condition     = contains(["8.0", "8.4"], var.mysql_version)
    error_message = "mysql_version must be 8.0 or 8.4."
  }
}

variable "database_name" {
  description = "The schema that is made with the database, and asked."
  type        = string
  default     = "text2sql"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_]{0,62}$", var.database_name))
    error_message = "database_name must begin with a letter, and hold letters, digits and _ alone."
  }
}

variable "database_class" {
  description = "The class of the database's instance."
  type        = string
  default     = "db.t3.medium"
  nullable    = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database_class))
    error_message = "database_class must be a class of RDS such as db.t3.medium."
  }
}

variable "database_storage" {
  description = "The storage in GB: what it begins with, and what it may grow to by itself."
  type        = object({ first = number, most = number })
  default     = { first = 20, most = 40 }
  nullable    = false

  validation {
    condition     = var.database_storage.first >= 20 && var.database_storage.most > var.database_storage.first
    error_message = "database_storage must begin with 20 GB or more, and may grow to more."
  }
}

variable "database_multi_az" {
  description = "Whether a second instance in another zone takes over when the first is lost."
  type        = bool
  default     = true
  nullable    = false
}

variable "database_deletion_protection" {
  description = "Whether the database refuses to be deleted; turn it off and apply before it is destroyed."
  type        = bool
  default     = true
  nullable    = false
}

variable "final_snapshot" {
  description = "What the name of the last snapshot ends with, which is taken when the database is destroyed; RDS takes no name twice."
  type        = string
  default     = "final"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.final_snapshot))
    error_message = "final_snapshot must be small letters, digits and hyphens."
  }
}

variable "general_log" {
  description = "Whether MySQL's general log is kept too; it repeats each statement with its values, as the audit log does."
  type        = bool
  default     = false
  nullable    = false
}

variable "read_replica" {
  description = "Whether there is a replica, which questions then go to."
  type        = bool
  default     = false
  nullable    = false
}

variable "database_proxy" {
  description = "Whether RDS Proxy stands before the database, which questions then go through; it follows no replica, and costs by the hour."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.database_proxy || !var.read_replica && var.database_primary == null
    error_message = "database_proxy must not stand beside read_replica or database_primary: RDS Proxy follows the first server alone."
  }
}

variable "admin_password" {
  description = "The password of the administrator text2sql_admin, 20 characters or more, where RDS does not make it, for there is a replica; it goes to Secrets Manager and into no state."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.admin_password == null || can(regex("^[\\w-]{20,41}$", var.admin_password))
    error_message = "admin_password must be 20 to 41 letters, digits, _ or -."
  }

  validation {
    condition     = var.admin_password != null || var.admin_password_version == 0
    error_message = "admin_password must be given with each run while admin_password_version is above 0; it is written only when that is raised."
  }
}

variable "admin_password_version" {
  description = "A number that is raised with each new admin_password; at 0 none has been given yet."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.admin_password_version >= 0 && floor(var.admin_password_version) == var.admin_password_version
    error_message = "admin_password_version must be a whole number, 0 or more."
  }

  validation {
    condition     = var.admin_password_version > 0 || !var.read_replica && var.recovery_region == null
    error_message = "admin_password_version must be 1 or more with read_replica or recovery_region: RDS makes no replica of a database whose password it keeps itself."
  }
}

variable "database_primary" {
  description = "In a second Region: the database of the first, which the one here then follows, and the secrets of its accounts, which recovery_region has copied there; the outputs database_primary of the first."
  type        = object({ arn = string, admin_secret_arn = string, reader_secret_arn = string })
  default     = null

  validation {
    condition = var.database_primary == null || (
      can(regex("^arn:[^:]+:rds:[^:]+:\\d{12}:db:.+$", var.database_primary.arn)) &&
      can(regex("^arn:[^:]+:secretsmanager:[^:]+:\\d{12}:secret:.+$", var.database_primary.admin_secret_arn)) &&
      can(regex("^arn:[^:]+:secretsmanager:[^:]+:\\d{12}:secret:.+$", var.database_primary.reader_secret_arn))
    )
    error_message = "database_primary must hold the ARNs of a database and of two secrets."
  }

  validation {
    condition     = var.database_primary == null || !var.read_replica && var.recovery_region == null
    error_message = "database_primary must not stand beside read_replica or recovery_region: what follows a database is not followed."
  }
}

variable "reader_password" {
  description = "The password of the account text2sql_reader, 20 characters or more; it goes to Secrets Manager and into no state."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.reader_password == null || can(regex("^[\\w-]{20,41}$", var.reader_password))
    error_message = "reader_password must be 20 to 41 letters, digits, _ or -."
  }

  validation {
    condition     = var.reader_password != null || var.reader_password_version == 0
    error_message = "reader_password must be given with each run while reader_password_version is above 0; it is written only when that is raised."
  }
}

variable "reader_password_version" {
  description = "A number that is raised with each new reader_password; at 0 none has been given yet."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.reader_password_version >= 0 && floor(var.reader_password_version) == var.reader_password_version
    error_message = "reader_password_version must be a whole number, 0 or more."
  }
}

variable "reader_rotation_function_arn" {
  description = "The ARN of a function that rotates the reader's password every 30 days, such as AWS's SecretsManagerRDSMySQLRotationSingleUser, once the account is there; without it, an operator does."
  type        = string
  default     = null

  validation {
    condition     = var.reader_rotation_function_arn == null || can(regex("^arn:[^:]+:lambda:[^:]+:\\d{12}:function:.+$", var.reader_rotation_function_arn))
    error_message = "reader_rotation_function_arn must be the ARN of a function, arn:aws:lambda:<Region>:<account>:function:<name>."
  }
}

variable "backup_copy_vault_arn" {
  description = "The ARN of a backup vault in another Region or account that each backup is copied to; without it, none is."
  type        = string
  default     = null

  validation {
    condition     = var.backup_copy_vault_arn == null || can(regex("^arn:[^:]+:backup:[^:]+:\\d{12}:backup-vault:.+$", var.backup_copy_vault_arn))
    error_message = "backup_copy_vault_arn must be the ARN of a vault, arn:aws:backup:<Region>:<account>:backup-vault:<name>."
  }
}

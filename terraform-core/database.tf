# The database that is asked: MySQL on RDS, in subnets that have no way out.

locals {
  # The logs that RDS hands to CloudWatch.
  database_logs  = toset(concat(["audit", "error", "slowquery"], var.general_log ? ["general"] : []))
  database_names = concat([local.name], var.read_replica ? ["${local.name}-replica"] : [])
  database_parameters = {
    general_log             = var.general_log ? "1" : "0"
    innodb_buffer_pool_size = "{DBInstanceClassMemory*3/4}"
    log_output              = "FILE" # a table would not reach CloudWatch
    long_query_time         = "2"
    max_connections         = "1000"
    # Nobody signs in in clear text, whatever a client asks for.
    require_secure_transport = "1"
    slow_query_log           = "1"
  }
  # In a second Region it follows that of the first, whose accounts it has.
  is_follower = var.database_primary != null
  # RDS makes no replica of a database whose password it keeps itself.
  is_followed         = !local.is_follower && (var.read_replica || var.recovery_region != null)
  has_password_of_rds = !local.is_follower && !local.is_followed
  # A copy of a secret has the same ARN, but for the Region.
  copied_secrets = { for name, arn in var.database_primary == null ? {} : {
    admin = var.database_primary.admin_secret_arn, reader = var.database_primary.reader_secret_arn
  } : name => replace(arn, "/:secretsmanager:[^:]+:/", ":secretsmanager:${local.region}:") }
  admin_secret_arn = (
    local.is_follower ? local.copied_secrets.admin :
    local.is_followed ? aws_secretsmanager_secret.admin[0].arn :
    aws_db_instance.this.master_user_secret[0].secret_arn
  )
  reader_secret_arn = local.is_follower ? local.copied_secrets.reader : aws_secretsmanager_secret.reader[0].arn
  # Where questions go.
  reader_address = one(concat(
    aws_db_instance.replica[*].address,
    values(aws_db_proxy.this)[*].endpoint,
    var.read_replica || var.database_proxy ? [] : [aws_db_instance.this.address],
  ))
  contract_database = {
    database-url                = "mysql://text2sql_reader@${local.reader_address}:3306/${var.database_name}?ssl=required"
    database-secret             = local.reader_secret_arn
    database-admin-url          = "mysql://text2sql_admin@${aws_db_instance.this.address}:3306/${var.database_name}?ssl=required"
    database-admin-secret       = local.admin_secret_arn
    database-key                = aws_kms_key.this["database"].arn
    subnet-ids                  = join(",", [for subnet in aws_subnet.private : subnet.id])
    function-security-group-ids = aws_security_group.this["functions"].id
  }
}

resource "aws_db_subnet_group" "this" {
  name        = local.name
  description = "Subnets that have no way out."
  subnet_ids  = [for subnet in aws_subnet.database : subnet.id]
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${local.name}-"
  description = "TLS alone, a thousand connections, and a log of what is slow."
  family      = "mysql${var.mysql_version}"

  dynamic "parameter" {
    for_each = local.database_parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Who signed in and what was asked, word for word: the audit log is a plugin of its own.
resource "aws_db_option_group" "this" {
  name_prefix              = "${local.name}-"
  option_group_description = "The audit log."
  engine_name              = "mysql"
  major_engine_version     = var.mysql_version

  option {
    option_name = "MARIADB_AUDIT_PLUGIN"

    option_settings {
      name  = "SERVER_AUDIT_EVENTS"
      value = "CONNECT,QUERY" # questions are SELECTs, which the narrower words leave out
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# They are made before RDS would make them, so that they are encrypted and forget.
resource "aws_cloudwatch_log_group" "database" {
  # checkov:skip=CKV_AWS_338:how long logs are kept is the operator's to say, by log_retention_days
  for_each = toset([for pair in setproduct(local.database_names, local.database_logs) : join("/", pair)])

  name              = "/aws/rds/instance/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this["logs"].arn
}

resource "aws_iam_role" "database_monitoring" {
  name        = "${local.iam_name}-database-monitoring"
  description = "Lets RDS write the figures of the database's machine to CloudWatch Logs."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForMonitoring"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "database_monitoring" {
  role       = aws_iam_role.database_monitoring.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "this" {
  # checkov:skip=CKV2_AWS_69:the parameter group requires TLS, which checkov does not see through its dynamic block
  # checkov:skip=CKV_AWS_157:database_multi_az is on unless an operator says otherwise
  # checkov:skip=CKV_AWS_293:database_deletion_protection is on unless an operator says otherwise
  identifier          = local.name
  replicate_source_db = one(var.database_primary[*].arn)
  engine              = local.is_follower ? null : "mysql"
  engine_version      = local.is_follower ? null : var.mysql_version
  instance_class      = var.database_class
  db_name             = local.is_follower ? null : var.database_name

  allocated_storage     = local.is_follower ? null : var.database_storage.first
  max_allocated_storage = var.database_storage.most
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this["database"].arn

  # RDS makes the master's password, keeps it in Secrets Manager and renews it each week, where it can.
  username                            = local.is_follower ? null : "text2sql_admin"
  manage_master_user_password         = local.has_password_of_rds ? true : null
  master_user_secret_kms_key_id       = local.has_password_of_rds ? aws_kms_key.this["database"].key_id : null
  password_wo                         = local.is_followed ? var.admin_password : null
  password_wo_version                 = local.is_followed ? var.admin_password_version : null
  iam_database_authentication_enabled = true
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"

  multi_az               = var.database_multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this["database"].id]
  publicly_accessible    = false
  port                   = 3306

  parameter_group_name = aws_db_parameter_group.this.name
  option_group_name    = aws_db_option_group.this.name

  backup_retention_period   = 35
  backup_window             = "03:00-06:00"
  maintenance_window        = "sun:06:30-sun:08:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  skip_final_snapshot       = local.is_follower # RDS takes none of what follows
  final_snapshot_identifier = "${local.name}-${var.final_snapshot}"
  deletion_protection       = var.database_deletion_protection && !var.destroyable

  auto_minor_version_upgrade = true
  apply_immediately          = false

  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  performance_insights_kms_key_id       = aws_kms_key.this["database"].arn
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.database_monitoring.arn
  enabled_cloudwatch_logs_exports       = sort(local.database_logs)

  tags = { backup = local.name }

  # A password is known before it holds.
  depends_on = [aws_cloudwatch_log_group.database, aws_secretsmanager_secret_version.admin]

  lifecycle {
    ignore_changes = [replicate_source_db] # once it is promoted, it follows nobody
  }
}

# What PrepareDatabase signs in with where RDS does not keep the password.
resource "aws_secretsmanager_secret" "admin" {
  # checkov:skip=CKV2_AWS_57:docs/operations/rotate.md has the commands; PrepareDatabase alone reads it
  count = local.is_followed ? 1 : 0

  name                    = "${local.name}/database-admin"
  description             = "The database's administrator, as JSON with username and password."
  kms_key_id              = aws_kms_key.this["database"].arn
  recovery_window_in_days = var.destroyable ? 0 : 7

  dynamic "replica" {
    for_each = var.recovery_region[*]

    content {
      region = replica.value
    }
  }
}

resource "aws_secretsmanager_secret_version" "admin" {
  count = local.is_followed ? 1 : 0

  secret_id                = aws_secretsmanager_secret.admin[0].id
  secret_string_wo         = jsonencode({ username = "text2sql_admin", password = var.admin_password })
  secret_string_wo_version = var.admin_password_version
}

resource "aws_db_instance" "replica" {
  # checkov:skip=CKV2_AWS_69:the parameter group requires TLS, which checkov does not see through its dynamic block
  # checkov:skip=CKV_AWS_157:a replica that is lost is made anew
  # checkov:skip=CKV_AWS_293:database_deletion_protection is on unless an operator says otherwise
  # checkov:skip=CKV2_AWS_60:it has no snapshots
  count = var.read_replica ? 1 : 0

  identifier          = "${local.name}-replica"
  replicate_source_db = aws_db_instance.this.identifier
  instance_class      = var.database_class

  storage_type      = "gp3"
  storage_encrypted = true
  kms_key_id        = aws_kms_key.this["database"].arn

  iam_database_authentication_enabled = true
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"
  vpc_security_group_ids              = [aws_security_group.this["database"].id]
  publicly_accessible                 = false
  parameter_group_name                = aws_db_parameter_group.this.name
  option_group_name                   = aws_db_option_group.this.name

  skip_final_snapshot        = true
  deletion_protection        = var.database_deletion_protection && !var.destroyable
  auto_minor_version_upgrade = true

  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  performance_insights_kms_key_id       = aws_kms_key.this["database"].arn
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.database_monitoring.arn
  enabled_cloudwatch_logs_exports       = sort(local.database_logs)

  depends_on = [aws_cloudwatch_log_group.database]
}

# ── the account that questions are asked with ────────────────────────────────────────────────────

resource "aws_secretsmanager_secret" "reader" {
  # checkov:skip=CKV2_AWS_57:it is rotated where reader_rotation_function_arn names what does it
  count = local.is_follower ? 0 : 1

  name                    = "${local.name}/database-reader"
  description             = "The account that may only read, as JSON with username and password."
  kms_key_id              = aws_kms_key.this["database"].arn
  recovery_window_in_days = var.destroyable ? 0 : 7

  dynamic "replica" {
    for_each = var.recovery_region[*]

    content {
      region = replica.value
    }
  }
}

resource "aws_secretsmanager_secret_version" "reader" {
  count = !local.is_follower && var.reader_password_version > 0 ? 1 : 0

  secret_id = aws_secretsmanager_secret.reader[0].id
  secret_string_wo = jsonencode({
    engine   = "mysql"
    host     = aws_db_instance.this.address
    port     = 3306
    dbname   = var.database_name
    username = "text2sql_reader"
    password = var.reader_password
    # For a rotation between two accounts.
    masterarn = local.admin_secret_arn
  })
  secret_string_wo_version = var.reader_password_version
}

resource "aws_secretsmanager_secret_rotation" "reader" {
  count = local.is_follower || var.reader_rotation_function_arn == null ? 0 : 1

  secret_id           = aws_secretsmanager_secret.reader[0].id
  rotation_lambda_arn = var.reader_rotation_function_arn
  rotate_immediately  = false

  rotation_rules {
    automatically_after_days = 30
  }

  depends_on = [aws_secretsmanager_secret_version.reader]
}

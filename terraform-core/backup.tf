# Backups beside those of RDS: in a vault of their own, and restored each month to see that they can be.

resource "aws_backup_vault" "this" {
  name          = local.name
  kms_key_arn   = aws_kms_key.this["database"].arn
  force_destroy = var.destroyable
}

resource "aws_backup_plan" "this" {
  name = local.name

  rule {
    rule_name                = "daily"
    target_vault_name        = aws_backup_vault.this.name
    schedule                 = "cron(30 1 * * ? *)"
    start_window             = 60
    completion_window        = 360
    enable_continuous_backup = false # RDS keeps its own, for 35 days

    lifecycle {
      delete_after = 35
    }

    dynamic "copy_action" {
      for_each = var.backup_copy_vault_arn[*]

      content {
        destination_vault_arn = copy_action.value

        lifecycle {
          delete_after = 35
        }
      }
    }
  }
}

resource "aws_iam_role" "backup" {
  name        = "${local.iam_name}-backup"
  description = "Lets AWS Backup copy the database, and restore a copy to test it."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForBackup"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "backup.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "backup" {
  for_each = toset(["AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForRestores"])

  role       = aws_iam_role.backup.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/${each.key}"
}

resource "aws_backup_selection" "this" {
  name         = local.name
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.backup.arn
  resources    = [aws_db_instance.this.arn]
}

# What is restored is deleted again after a few hours.
resource "aws_backup_restore_testing_plan" "this" {
  name                = replace(local.name, "-", "_")
  schedule_expression = "cron(0 8 1 * ? *)"
  start_window_hours  = 8

  recovery_point_selection {
    algorithm             = "LATEST_WITHIN_WINDOW"
    include_vaults        = [aws_backup_vault.this.arn]
    recovery_point_types  = ["SNAPSHOT"]
    selection_window_days = 7
  }
}

resource "aws_backup_restore_testing_selection" "this" {
  name                      = "database"
  restore_testing_plan_name = aws_backup_restore_testing_plan.this.name
  protected_resource_type   = "RDS"
  protected_resource_arns   = [aws_db_instance.this.arn]
  iam_role_arn              = aws_iam_role.backup.arn
  validation_window_hours   = 4

  # It stands where the database does, behind a group that nobody reaches.
  restore_metadata_overrides = {
    dbSubnetGroupName   = aws_db_subnet_group.this.name
    vpcSecurityGroupIds = jsonencode([aws_default_security_group.this.id])
  }
}

# One key for each kind of data, so that the right to read one is not the right to read all.

locals {
  # What each key encrypts, and the services that use it in their own name.
  keys = {
    database = { description = "The database, its backups and its passwords", services = [] }
    logs     = { description = "The logs", services = ["logs.${local.region}.amazonaws.com"] }
    messages = { description = "The topic of the alarms", services = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com", "events.amazonaws.com"] }
    images   = { description = "The images of the containers", services = [] }
  }
}

resource "aws_kms_key" "this" {
  for_each = local.keys

  description             = "${local.name}: ${each.value.description}."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "LeaveItToPoliciesOfTheAccount"
        Effect    = "Allow"
        Action    = "kms:*"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Resource  = "*" # a key's policy is about this key alone
      }],
      length(each.value.services) == 0 ? [] : [{
        Sid       = "LetServicesUseIt"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:Describe*", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Principal = { Service = each.value.services }
        Resource  = "*"
        Condition = each.key == "logs" ? {
          ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:*" }
          } : {
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      }],
    )
  })
}

resource "aws_kms_alias" "this" {
  for_each = local.keys

  name          = "alias/${local.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].id
}

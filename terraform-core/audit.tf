# Who did what in the account, and what in it is not as it should be. What an account has once is off unless asked for.

locals {
  has_trail        = coalesce(var.trail, var.stage == "prod")
  has_audit_bucket = local.has_trail || var.config_recorder
  trail_arn        = "arn:${local.partition}:cloudtrail:${local.region}:${local.account_id}:trail/${local.name}"
  audit_writers = merge(
    local.has_trail ? { cloudtrail = {
      service = "cloudtrail.amazonaws.com", where = "trail", for = { "aws:SourceArn" = local.trail_arn }
    } } : {},
    var.config_recorder ? { config = {
      service = "config.amazonaws.com", where = "config", for = { "aws:SourceAccount" = local.account_id }
    } } : {},
  )
}

# ── where it is kept ─────────────────────────────────────────────────────────────────────────────

resource "aws_kms_key" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  description             = "${local.name}: What was done in the account."
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
      !local.has_trail ? [] : [{
        Sid       = "LetServicesUseIt"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"] # a bucket's own data key asks for the first
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Resource  = "*" # a key's policy is about this key alone
        Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
      }],
    )
  })
}

resource "aws_kms_alias" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  name          = "alias/${local.name}-audit"
  target_key_id = aws_kms_key.audit[0].id
}

resource "aws_s3_bucket" "audit" {
  # checkov:skip=CKV_AWS_144:what was done is kept in one Region; the trail itself sees all
  # checkov:skip=CKV2_AWS_62:nobody waits for these files
  count = local.has_audit_bucket ? 1 : 0

  bucket        = "${local.name}-audit-${local.account_id}-${local.region}"
  force_destroy = var.destroyable
}

resource "aws_s3_bucket_public_access_block" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.audit[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  bucket = aws_s3_bucket.audit[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  bucket = aws_s3_bucket.audit[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.audit[0].arn
    }
  }
}

resource "aws_s3_bucket_versioning" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  bucket = aws_s3_bucket.audit[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  bucket = aws_s3_bucket.audit[0].id

  rule {
    id     = "forget"
    status = "Enabled"

    filter {}

    transition {
      days          = 30
      storage_class = "STANDARD_IA"
    }

    expiration {
      days = var.audit_retention_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 35
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.audit]
}

resource "aws_s3_bucket_logging" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  bucket        = aws_s3_bucket.audit[0].id
  target_bucket = aws_s3_bucket.logs["access-logs"].id
  target_prefix = "audit/"
}

resource "aws_s3_bucket_policy" "audit" {
  count = local.has_audit_bucket ? 1 : 0

  bucket = aws_s3_bucket.audit[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "RefuseClearText"
        Effect    = "Deny"
        Action    = "s3:*"
        Principal = "*"
        Resource  = [aws_s3_bucket.audit[0].arn, "${aws_s3_bucket.audit[0].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for writer in local.audit_writers : {
        Sid       = "LetServiceLook${title(writer.where)}"
        Effect    = "Allow"
        Action    = ["s3:GetBucketAcl", "s3:ListBucket"]
        Principal = { Service = writer.service }
        Resource  = aws_s3_bucket.audit[0].arn
        Condition = { StringEquals = writer.for }
      }],
      [for writer in local.audit_writers : {
        Sid       = "LetServiceWrite${title(writer.where)}"
        Effect    = "Allow"
        Action    = "s3:PutObject"
        Principal = { Service = writer.service }
        Resource  = "${aws_s3_bucket.audit[0].arn}/${writer.where}/AWSLogs/${local.account_id}/*"
        Condition = { StringEquals = merge(writer.for, { "s3:x-amz-acl" = "bucket-owner-full-control" }) }
      }],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.audit]
}

# ── who did what ─────────────────────────────────────────────────────────────────────────────────

resource "aws_cloudtrail" "this" {
  # checkov:skip=CKV_AWS_252:who must be told of a call is told by GuardDuty; a message for each file tells nobody anything
  # checkov:skip=CKV2_AWS_10:the trail is read in its bucket, and the last 90 days in CloudTrail itself
  count = local.has_trail ? 1 : 0

  name                          = local.name
  s3_bucket_name                = aws_s3_bucket.audit[0].id
  s3_key_prefix                 = "trail"
  kms_key_id                    = aws_kms_key.audit[0].arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true

  depends_on = [aws_s3_bucket_policy.audit]
}

# ── what is not as it should be ──────────────────────────────────────────────────────────────────

locals {
  # AWS's names of the rules.
  config_rules = {
    trail-in-all-regions      = "MULTI_REGION_CLOUD_TRAIL_ENABLED"
    root-has-mfa              = "ROOT_ACCOUNT_MFA_ENABLED"
    users-have-mfa            = "IAM_USER_MFA_ENABLED"
    access-keys-are-rotated   = "ACCESS_KEYS_ROTATED"
    databases-are-encrypted   = "RDS_STORAGE_ENCRYPTED"
    databases-are-not-public  = "RDS_INSTANCE_PUBLIC_ACCESS_CHECK"
    databases-are-protected   = "RDS_INSTANCE_DELETION_PROTECTION_ENABLED"
    buckets-are-not-public    = "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED"
    buckets-take-tls-alone    = "S3_BUCKET_SSL_REQUESTS_ONLY"
    networks-have-flow-logs   = "VPC_FLOW_LOGS_ENABLED"
    groups-are-closed-for-ssh = "INCOMING_SSH_DISABLED"
    default-groups-are-closed = "VPC_DEFAULT_SECURITY_GROUP_CLOSED"
    threat-detection-is-on    = "GUARDDUTY_ENABLED_CENTRALIZED"
    alarms-tell-somebody      = "CLOUDWATCH_ALARM_ACTION_CHECK"
  }
  config_rule_inputs = {
    access-keys-are-rotated = { maxAccessKeyAge = "90" }
    alarms-tell-somebody    = { alarmActionRequired = "true", insufficientDataActionRequired = "false", okActionRequired = "false" }
  }
}

resource "aws_iam_role" "config" {
  count = var.config_recorder ? 1 : 0

  name        = "${local.iam_name}-config"
  description = "Lets AWS Config read how resources are set up, and keep it."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForConfig"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "config.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "config" {
  count = var.config_recorder ? 1 : 0

  role       = aws_iam_role.config[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWS_ConfigRole"
}

resource "aws_iam_role_policy" "config" {
  count = var.config_recorder ? 1 : 0

  name = "keep-configuration"
  role = aws_iam_role.config[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LookAtBucket"
        Effect   = "Allow"
        Action   = ["s3:GetBucketAcl", "s3:ListBucket"]
        Resource = aws_s3_bucket.audit[0].arn
      },
      {
        Sid      = "WriteConfiguration"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${aws_s3_bucket.audit[0].arn}/config/AWSLogs/${local.account_id}/*"
      },
      {
        Sid      = "EncryptConfiguration"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = aws_kms_key.audit[0].arn
      },
    ]
  })
}

resource "aws_config_configuration_recorder" "this" {
  count = var.config_recorder ? 1 : 0

  name     = local.name
  role_arn = aws_iam_role.config[0].arn

  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_config_delivery_channel" "this" {
  count = var.config_recorder ? 1 : 0

  name           = local.name
  s3_bucket_name = aws_s3_bucket.audit[0].id
  s3_key_prefix  = "config"
  s3_kms_key_arn = aws_kms_key.audit[0].arn

  depends_on = [aws_config_configuration_recorder.this, aws_s3_bucket_policy.audit]
}

resource "aws_config_configuration_recorder_status" "this" {
  count = var.config_recorder ? 1 : 0

  name       = aws_config_configuration_recorder.this[0].name
  is_enabled = true

  depends_on = [aws_config_delivery_channel.this]
}

resource "aws_config_config_rule" "this" {
  for_each = { for name, identifier in local.config_rules : name => identifier if var.config_recorder }

  name             = "${local.name}-${each.key}"
  input_parameters = try(jsonencode(local.config_rule_inputs[each.key]), null)

  source {
    owner             = "AWS"
    source_identifier = each.value
  }

  depends_on = [aws_config_configuration_recorder_status.this]
}

resource "aws_guardduty_detector" "this" {
  # checkov:skip=CKV2_AWS_3:one account without an organization is what this is for
  count = var.threat_detection ? 1 : 0

  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

# ── who is told ──────────────────────────────────────────────────────────────────────────────────

locals {
  audit_events = merge(
    var.threat_detection ? { threats = {
      description = "What GuardDuty finds, of high severity and above."
      pattern     = { source = ["aws.guardduty"], detail-type = ["GuardDuty Finding"], detail = { severity = [{ numeric = [">=", 7] }] } }
    } } : {},
    var.config_recorder ? { deviations = {
      description = "What no longer keeps a rule of AWS Config."
      pattern = {
        source = ["aws.config"], detail-type = ["Config Rules Compliance Change"]
        detail = { newEvaluationResult = { complianceType = ["NON_COMPLIANT"] } }
      }
    } } : {},
  )
}

resource "aws_cloudwatch_event_rule" "audit" {
  for_each = local.audit_events

  name          = "${local.name}-${each.key}"
  description   = each.value.description
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "audit" {
  for_each = local.audit_events

  rule = aws_cloudwatch_event_rule.audit[each.key].name
  arn  = aws_sns_topic.alarms.arn
}

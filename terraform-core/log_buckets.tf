# The buckets of logs: of the load balancers, the containers, and of who read those.

locals {
  log_buckets = toset(["access-logs", "container-logs", "load-balancer-logs"])
}

resource "aws_s3_bucket" "logs" {
  # checkov:skip=CKV_AWS_18:aws_s3_bucket_logging.logs tells who reads them; who reads that is not told
  # checkov:skip=CKV2_AWS_62:nothing waits for a log
  # checkov:skip=CKV_AWS_144:logs are not needed in another Region
  # checkov:skip=CKV_AWS_145:load balancers and S3 write only to buckets that S3 encrypts with a key of its own
  for_each = local.log_buckets

  bucket        = "${local.name}-${each.key}-${local.account_id}-${local.region}"
  force_destroy = var.destroyable
}

resource "aws_s3_bucket_public_access_block" "logs" {
  for_each = local.log_buckets

  bucket                  = aws_s3_bucket.logs[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  for_each = local.log_buckets

  bucket = aws_s3_bucket.logs[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  for_each = local.log_buckets

  bucket = aws_s3_bucket.logs[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "logs" {
  for_each = local.log_buckets

  bucket = aws_s3_bucket.logs[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  for_each = local.log_buckets

  bucket = aws_s3_bucket.logs[each.key].id

  rule {
    id     = "forget"
    status = "Enabled"

    filter {}

    transition {
      days          = 30
      storage_class = "STANDARD_IA"
    }

    expiration {
      days = var.log_retention_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 35
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.logs]
}

resource "aws_s3_bucket_logging" "logs" {
  for_each = setsubtract(local.log_buckets, ["access-logs"])

  bucket        = aws_s3_bucket.logs[each.key].id
  target_bucket = aws_s3_bucket.logs["access-logs"].id
  target_prefix = "${each.key}/"
}

resource "aws_s3_bucket_policy" "logs" {
  for_each = local.log_buckets

  bucket = aws_s3_bucket.logs[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "RefuseClearText"
        Effect    = "Deny"
        Action    = "s3:*"
        Principal = "*"
        Resource  = [aws_s3_bucket.logs[each.key].arn, "${aws_s3_bucket.logs[each.key].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      each.key != "load-balancer-logs" ? [] : [{
        Sid       = "TakeFromLoadBalancers"
        Effect    = "Allow"
        Action    = "s3:PutObject"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Resource  = "${aws_s3_bucket.logs[each.key].arn}/*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      }],
      each.key != "access-logs" ? [] : [{
        Sid       = "TakeFromBuckets"
        Effect    = "Allow"
        Action    = "s3:PutObject"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Resource  = "${aws_s3_bucket.logs[each.key].arn}/*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      }],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.logs]
}

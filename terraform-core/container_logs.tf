# The containers' logs: Fluent Bit beside each container, Firehose, a bucket.

resource "aws_kinesis_firehose_delivery_stream" "containers" {
  for_each = local.balancers

  name        = "${local.name}-${each.key}-logs"
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = "CUSTOMER_MANAGED_CMK"
    key_arn  = aws_kms_key.this["logs"].arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.container_logs.arn
    bucket_arn          = aws_s3_bucket.logs["container-logs"].arn
    prefix              = "${each.key}/!{timestamp:yyyy/MM/dd}/"
    error_output_prefix = "${each.key}-failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/"
    buffering_size      = 5
    buffering_interval  = 60
    compression_format  = "GZIP"

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.containers.name
      log_stream_name = aws_cloudwatch_log_stream.delivery[each.key].name
    }
  }

  depends_on = [aws_iam_role_policy.container_logs]
}

# What the side-cars say of themselves, and Firehose of deliveries that failed.
resource "aws_cloudwatch_log_group" "containers" {
  # checkov:skip=CKV_AWS_338:how long logs are kept is the operator's to say, by log_retention_days
  name              = "/${local.name}/containers"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this["logs"].arn
}

resource "aws_cloudwatch_log_stream" "delivery" {
  for_each = local.balancers

  name           = "delivery-${each.key}"
  log_group_name = aws_cloudwatch_log_group.containers.name
}

resource "aws_iam_role" "container_logs" {
  name        = "${local.iam_name}-container-logs"
  description = "Lets Firehose write the containers' logs to their bucket."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForDelivery"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "firehose.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "container_logs" {
  name = "deliver-logs"
  role = aws_iam_role.container_logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        Resource = "${aws_s3_bucket.logs["container-logs"].arn}/*"
      },
      {
        Sid      = "FindBucket"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        Resource = aws_s3_bucket.logs["container-logs"].arn
      },
      {
        Sid      = "TellOfFailures"
        Effect   = "Allow"
        Action   = "logs:PutLogEvents"
        Resource = "${aws_cloudwatch_log_group.containers.arn}:log-stream:delivery-*"
      },
    ]
  })
}

# What Bedrock is asked and answers, word for word. An account has one such setting in a Region: this one takes the place of any other.

resource "aws_cloudwatch_log_group" "model" {
  # checkov:skip=CKV_AWS_338:how long logs are kept is the operator's to say, by log_retention_days
  count = var.model_invocation_logging ? 1 : 0

  name              = "/${local.name}/model-invocations"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this["logs"].arn
}

resource "aws_iam_role" "model_logging" {
  count = var.model_invocation_logging ? 1 : 0

  name        = "${local.iam_name}-model-logging"
  description = "Lets Bedrock write calls of models to CloudWatch Logs."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForModelLogging"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "bedrock.amazonaws.com" }
      Condition = {
        ArnLike      = { "aws:SourceArn" = "${local.bedrock_arn}:${local.region}:${local.account_id}:*" }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

resource "aws_iam_role_policy" "model_logging" {
  count = var.model_invocation_logging ? 1 : 0

  name = "write-model-invocations"
  role = aws_iam_role.model_logging[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteModelInvocations"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.model[0].arn}:log-stream:aws/bedrock/modelinvocations"
    }]
  })
}

resource "aws_bedrock_model_invocation_logging_configuration" "this" {
  count = var.model_invocation_logging ? 1 : 0

  logging_config {
    text_data_delivery_enabled      = true
    embedding_data_delivery_enabled = false
    image_data_delivery_enabled     = false
    video_data_delivery_enabled     = false

    cloudwatch_config {
      log_group_name = aws_cloudwatch_log_group.model[0].name
      role_arn       = aws_iam_role.model_logging[0].arn
    }
  }

  # Bedrock tries to write at once.
  depends_on = [aws_iam_role_policy.model_logging]
}

# The classic Bedrock Agent, which AWS has closed to new customers. text2sql's own workflow answers without it.

locals {
  has_agent_action = var.enable_bedrock_agent && var.agent_action_lambda_arn != null
  has_agent_base   = var.enable_bedrock_agent && local.has_knowledge_base
}

resource "aws_iam_role" "agent" {
  count = var.enable_bedrock_agent ? 1 : 0

  name        = "${local.iam_name}-agent"
  description = "Lets the agent call its model, its guardrail and its knowledge base."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForAgents"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "bedrock.amazonaws.com" }
      Condition = {
        ArnLike      = { "aws:SourceArn" = "${local.bedrock_arn}:${local.region}:${local.account_id}:agent/*" }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

resource "aws_iam_role_policy" "agent" {
  count = var.enable_bedrock_agent ? 1 : 0

  name = "answer"
  role = aws_iam_role.agent[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "AskModel"
          Effect   = "Allow"
          Action   = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
          Resource = local.model_arns
        },
        {
          Sid      = "ApplyGuardrail"
          Effect   = "Allow"
          Action   = "bedrock:ApplyGuardrail"
          Resource = aws_bedrock_guardrail.this.guardrail_arn
        },
      ],
      length(local.model_profiles) == 0 ? [] : [{
        Sid      = "SeeProfile"
        Effect   = "Allow"
        Action   = "bedrock:GetInferenceProfile"
        Resource = local.model_profiles
      }],
      [for base in aws_bedrockagent_knowledge_base.this : {
        Sid      = "SearchDocuments"
        Effect   = "Allow"
        Action   = "bedrock:Retrieve"
        Resource = base.arn
      }],
      [for key in var.agent_kms_key_arn == null ? [] : [var.agent_kms_key_arn] : {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = key
      }],
    )
  })
}

resource "aws_bedrockagent_agent" "this" {
  # checkov:skip=CKV_AWS_373:without agent_kms_key_arn a key of AWS encrypts it
  count = var.enable_bedrock_agent ? 1 : 0

  agent_name                  = local.name
  description                 = "Answers questions about the database in words."
  agent_resource_role_arn     = aws_iam_role.agent[0].arn
  foundation_model            = var.model_name
  idle_session_ttl_in_seconds = var.agent_idle_seconds
  customer_encryption_key_arn = var.agent_kms_key_arn
  prepare_agent               = true
  instruction                 = <<-TEXT
    You answer questions about one database.
    For anything that numbers or rows of the database can tell, ask with the action ask_database, once for each question, and pass the person's words on as they are.
    Tell what it answers, and nothing beyond; where it fails or asks back, say so.
    For what a word means, look into the documents.
    Write no SQL yourself.
  TEXT

  guardrail_configuration = [{
    guardrail_identifier = aws_bedrock_guardrail.this.guardrail_id
    guardrail_version    = aws_bedrock_guardrail_version.this.version
  }]

  # Bedrock looks at once whether the role may do what it needs.
  depends_on = [aws_iam_role_policy.agent]
}

resource "aws_bedrockagent_agent_action_group" "ask" {
  count = local.has_agent_action ? 1 : 0

  action_group_name          = "ask_database"
  description                = "Asks the database a question and waits for the answer."
  agent_id                   = aws_bedrockagent_agent.this[0].agent_id
  agent_version              = "DRAFT"
  skip_resource_in_use_check = true

  action_group_executor {
    lambda = var.agent_action_lambda_arn
  }

  api_schema {
    payload = file("${path.module}/agent_action.yaml")
  }
}

resource "aws_lambda_permission" "agent" {
  count = local.has_agent_action ? 1 : 0

  statement_id   = "${local.name}-agent"
  action         = "lambda:InvokeFunction"
  function_name  = var.agent_action_lambda_arn
  principal      = "bedrock.amazonaws.com"
  source_account = local.account_id
  source_arn     = aws_bedrockagent_agent.this[0].agent_arn
}

resource "aws_bedrockagent_agent_knowledge_base_association" "this" {
  count = local.has_agent_base ? 1 : 0

  agent_id             = aws_bedrockagent_agent.this[0].agent_id
  description          = "What words about the database mean, and how its numbers are made."
  knowledge_base_id    = aws_bedrockagent_knowledge_base.this[0].id
  knowledge_base_state = "ENABLED"
}

# What the alias below is made anew for, beside the agent; either may not be there.
resource "terraform_data" "agent_parts" {
  count = var.enable_bedrock_agent ? 1 : 0

  input = {
    actions   = aws_bedrockagent_agent_action_group.ask[*].id
    bases     = aws_bedrockagent_agent_knowledge_base_association.this[*].id
    functions = var.agent_action_lambda_arn[*]
    schema    = filesha256("${path.module}/agent_action.yaml")
  }
}

# An alias keeps the version that it was made with, so it is made anew, with another id, when the agent changes.
resource "aws_bedrockagent_agent_alias" "live" {
  count = var.enable_bedrock_agent ? 1 : 0

  agent_alias_name = "live"
  description      = "What is called."
  agent_id         = aws_bedrockagent_agent.this[0].agent_id

  depends_on = [
    aws_bedrockagent_agent_action_group.ask,
    aws_bedrockagent_agent_knowledge_base_association.this,
    aws_lambda_permission.agent,
  ]

  lifecycle {
    replace_triggered_by = [aws_bedrockagent_agent.this, terraform_data.agent_parts]
  }
}

# What template.yaml reads when it is deployed, and what it writes then: the two meet here and nowhere else.

locals {
  contract_guardrail = {
    guardrail-provider = "bedrock"
    guardrail-id       = aws_bedrock_guardrail.this.guardrail_id
    guardrail-version  = aws_bedrock_guardrail_version.this.version
    guardrail-arn      = aws_bedrock_guardrail.this.guardrail_arn
  }
  contract_alarms = {
    alarm-topic-arn = aws_sns_topic.alarms.arn
  }

  # What it names, by the settings of the API; ECS reads them whenever a task starts.
  stack_parameters = {
    TEXT2SQL_API_JOBS_TABLE     = "jobs-table"
    TEXT2SQL_API_RESULTS_BUCKET = "results-bucket"
    TEXT2SQL_KNOWLEDGE_BUCKET   = "knowledge-bucket"
  }
}

resource "aws_ssm_parameter" "contract" {
  # checkov:skip=CKV2_AWS_34:CloudFormation takes no SecureString as a parameter, and none of these is a secret
  for_each = merge(
    local.contract_alarms,
    local.contract_database,
    local.contract_guardrail,
    local.contract_identity,
    local.contract_knowledge_base,
    local.contract_model,
    local.contract_services,
  )

  name        = "/text2sql/${each.key}"
  description = "Read by text2sql's template.yaml."
  type        = can(regex("-(arns|ids)$", each.key)) ? "StringList" : "String"
  value       = each.value
}

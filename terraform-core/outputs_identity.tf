output "cognito_user_pool_id" {
  description = "The user pool, for commands."
  value       = aws_cognito_user_pool.this.id
}

output "cognito_client_id" {
  description = "The page's client in the user pool."
  value       = aws_cognito_user_pool_client.page.id
}

output "sign_in_url" {
  description = "Where Cognito's sign-in page is."
  value       = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${local.region}.amazoncognito.com"
}

output "guardrail" {
  description = "The guardrail and its version, for commands."
  value       = { id = aws_bedrock_guardrail.this.guardrail_id, version = aws_bedrock_guardrail_version.this.version }
}

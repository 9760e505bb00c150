# How template.yaml's gateway reaches the API, and what it proves itself with.

locals {
  contract_services = {
    vpc-link-id      = aws_apigatewayv2_vpc_link.this.id
    api-listener-arn = local.main_listeners["backend"].arn
    gateway-secret   = aws_secretsmanager_secret.gateway.arn
  }
  # [] until a secret is given: the API does not start with one that has no value.
  gateway_secret_given = var.gateway_secret_version > 0 ? [var.gateway_secret_version] : []
}

resource "aws_security_group" "gateway" {
  # checkov:skip=CKV2_AWS_5:aws_apigatewayv2_vpc_link.this uses it
  name        = "${local.name}-gateway"
  description = "The gateway before the API"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${local.name}-gateway" }

  lifecycle {
    create_before_destroy = true
  }
}

# The load balancer lets anybody in at this port, so it needs no rule for the gateway.
resource "aws_vpc_security_group_egress_rule" "gateway" {
  security_group_id            = aws_security_group.gateway.id
  description                  = local.security_groups["backend_alb"]
  ip_protocol                  = "tcp"
  from_port                    = local.has_certificate ? 443 : 80
  to_port                      = local.has_certificate ? 443 : 80
  referenced_security_group_id = aws_security_group.this["backend_alb"].id
}

resource "aws_apigatewayv2_vpc_link" "this" {
  name               = local.name
  subnet_ids         = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids = [aws_security_group.gateway.id]
}

# One secret for each version: template.yaml sees a new ARN, and not a new value.
resource "aws_secretsmanager_secret" "gateway" {
  # checkov:skip=CKV2_AWS_57:the gateway takes a new one with a deployment alone
  name                    = "${local.name}/gateway/${var.gateway_secret_version}"
  description             = "What the gateway proves itself with to the API, one word."
  kms_key_id              = aws_kms_key.this["database"].arn
  recovery_window_in_days = var.destroyable ? 0 : 7

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_secretsmanager_secret_version" "gateway" {
  for_each = toset([for version in local.gateway_secret_given : tostring(version)])

  secret_id                = aws_secretsmanager_secret.gateway.id
  secret_string_wo         = var.gateway_secret
  secret_string_wo_version = var.gateway_secret_version

  lifecycle {
    create_before_destroy = true
  }
}

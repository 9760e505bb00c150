# AWS services that the private subnets reach without the internet.

locals {
  gateway_endpoints = toset(["dynamodb", "s3"])
  interface_endpoints = !coalesce(var.interface_endpoints, var.stage == "prod") ? toset([]) : toset([
    "bedrock-agent-runtime",
    "bedrock-runtime",
    "ecr.api",
    "ecr.dkr",
    "logs",
    "secretsmanager",
    "states",
    "sts",
  ])
  # Who may go through: identities of this account. The layers of images are signed by ECR's own.
  endpoint_statement = {
    Sid       = "OwnIdentities"
    Effect    = "Allow"
    Action    = "*"
    Principal = "*"
    Resource  = "*"
    Condition = { StringEquals = { "aws:PrincipalAccount" = local.account_id } }
  }
  endpoint_layers = {
    Sid       = "LayersOfImages"
    Effect    = "Allow"
    Action    = "s3:GetObject"
    Principal = "*"
    Resource  = "arn:${local.partition}:s3:::prod-${local.region}-starport-layer-bucket/*"
  }
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = local.gateway_endpoints

  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${local.region}.${each.key}"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in [local.endpoint_statement, local.endpoint_layers] : statement
      if statement.Sid == "OwnIdentities" || each.key == "s3"
    ]
  })

  tags = { Name = "${local.name}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.this["endpoints"].id]
  private_dns_enabled = true
  policy              = jsonencode({ Version = "2012-10-17", Statement = [local.endpoint_statement] })

  tags = { Name = "${local.name}-${each.key}" }
}

# A proxy before the database, for many more functions than there are by default.

locals {
  proxy = var.database_proxy ? { "database" = aws_db_instance.this.identifier } : {}
}

resource "aws_iam_role" "database_proxy" {
  for_each = local.proxy

  name        = "${local.iam_name}-database-proxy"
  description = "Lets the proxy sign in at the database as the reader."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForProxies"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "rds.amazonaws.com" }
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:rds:${local.region}:${local.account_id}:db-proxy:*" }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

resource "aws_iam_role_policy" "database_proxy" {
  for_each = local.proxy

  name = "read-the-readers-password"
  role = aws_iam_role.database_proxy[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadTheSecret"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = local.reader_secret_arn
      },
      {
        Sid       = "DecryptTheSecret"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = aws_kms_key.this["database"].arn
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" } }
      },
    ]
  })
}

# It knows the reader alone: the administrator goes past it.
resource "aws_db_proxy" "this" {
  for_each = local.proxy

  name                   = local.name
  engine_family          = "MYSQL"
  require_tls            = true
  idle_client_timeout    = 1800
  role_arn               = aws_iam_role.database_proxy[each.key].arn
  vpc_subnet_ids         = [for subnet in aws_subnet.private : subnet.id]
  vpc_security_group_ids = [aws_security_group.this["database_proxy"].id]

  auth {
    auth_scheme               = "SECRETS"
    iam_auth                  = "DISABLED"
    client_password_auth_type = "MYSQL_CACHING_SHA2_PASSWORD"
    secret_arn                = local.reader_secret_arn
  }

  depends_on = [aws_iam_role_policy.database_proxy]
}

resource "aws_db_proxy_default_target_group" "this" {
  for_each = local.proxy

  db_proxy_name = aws_db_proxy.this[each.key].name

  connection_pool_config {
    max_connections_percent      = 80 # the rest is for the administrator and for people
    max_idle_connections_percent = 20
    connection_borrow_timeout    = 10 # a question that waits longer is told that the database is busy
  }
}

resource "aws_db_proxy_target" "this" {
  for_each = local.proxy

  db_proxy_name          = aws_db_proxy.this[each.key].name
  target_group_name      = aws_db_proxy_default_target_group.this[each.key].name
  db_instance_identifier = each.value
}

# Who may talk to whom. The world reaches the load balancers, and nothing else.

locals {
  security_groups = merge({
    frontend_alb = "The load balancer of the page"
    backend_alb  = "The load balancer of the API"
    frontend     = "The containers of the page"
    backend      = "The containers of the API"
    functions    = "The functions that ask the database"
    database     = "The database"
    endpoints    = "The endpoints of AWS services"
  }, var.database_proxy ? { database_proxy = "The proxy before the database" } : {})
  # Without a certificate there is nothing behind 443.
  public_ports = var.certificate_arn == null ? [80] : [80, 443]

  ingress_from_anywhere = {
    for pair in setproduct(["frontend_alb", "backend_alb"], local.public_ports) :
    "${pair[0]}-${pair[1]}" => { group = pair[0], port = pair[1] }
  }
  ingress_from_groups = merge({
    frontend-from-alb       = { group = "frontend", from = "frontend_alb", port = 3000 }
    backend-from-alb        = { group = "backend", from = "backend_alb", port = 80 }
    database-from-backend   = { group = "database", from = "backend", port = 3306 }
    database-from-functions = { group = "database", from = "functions", port = 3306 }
    endpoints-from-frontend = { group = "endpoints", from = "frontend", port = 443 }
    endpoints-from-backend  = { group = "endpoints", from = "backend", port = 443 }
    endpoints-from-function = { group = "endpoints", from = "functions", port = 443 }
    }, var.database_proxy ? {
    proxy-from-backend   = { group = "database_proxy", from = "backend", port = 3306 }
    proxy-from-functions = { group = "database_proxy", from = "functions", port = 3306 }
    database-from-proxy  = { group = "database", from = "database_proxy", port = 3306 }
  } : {})
  egress_to_groups = merge({
    frontend-alb-to-frontend = { group = "frontend_alb", to = "frontend", port = 3000 }
    backend-alb-to-backend   = { group = "backend_alb", to = "backend", port = 80 }
    backend-to-database      = { group = "backend", to = "database", port = 3306 }
    functions-to-database    = { group = "functions", to = "database", port = 3306 }
    }, var.database_proxy ? {
    backend-to-proxy   = { group = "backend", to = "database_proxy", port = 3306 }
    functions-to-proxy = { group = "functions", to = "database_proxy", port = 3306 }
    proxy-to-database  = { group = "database_proxy", to = "database", port = 3306 }
  } : {})
}

resource "aws_security_group" "this" {
  # checkov:skip=CKV2_AWS_5:checkov does not see through for_each who uses them
  for_each = local.security_groups

  name        = "${local.name}-${replace(each.key, "_", "-")}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${local.name}-${replace(each.key, "_", "-")}" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "anywhere" {
  for_each = local.ingress_from_anywhere

  security_group_id = aws_security_group.this[each.value.group].id
  description       = "Anybody, on ${each.value.port}"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  # checkov:skip=CKV_AWS_260:it is open to one group, and checkov takes a rule without addresses for one that is open to all
  for_each = local.ingress_from_groups

  security_group_id            = aws_security_group.this[each.value.group].id
  description                  = local.security_groups[each.value.from]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.this[each.value.from].id
}

resource "aws_vpc_security_group_egress_rule" "group" {
  for_each = local.egress_to_groups

  security_group_id            = aws_security_group.this[each.value.group].id
  description                  = local.security_groups[each.value.to]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.this[each.value.to].id
}

# Containers and functions call AWS, Pinecone and the sign-in service by HTTPS.
resource "aws_vpc_security_group_egress_rule" "https" {
  for_each = toset(["frontend", "backend", "functions"])

  security_group_id = aws_security_group.this[each.key].id
  description       = "Services by HTTPS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

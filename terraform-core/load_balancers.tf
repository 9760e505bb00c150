# What the world reaches: a load balancer for the page, and one for the API.

locals {
  has_certificate = var.certificate_arn != null
  balancers = {
    frontend = { port = 3000, health = var.frontend_health_path, domain = var.frontend_domain }
    backend  = { port = 80, health = "/healthz", domain = var.backend_domain }
  }
  # Where each answers.
  urls = {
    for name, balancer in local.balancers : name =>
    "${local.has_certificate ? "https" : "http"}://${coalesce(balancer.domain, aws_lb.this[name].dns_name)}"
  }
  # The listener that has what the balancer is for behind it.
  main_listeners = local.has_certificate ? aws_lb_listener.https : aws_lb_listener.http
  alias_records = {
    for name, balancer in local.balancers : name => balancer.domain
    if balancer.domain != null && var.hosted_zone_id != null
  }
}

resource "aws_lb" "this" {
  # checkov:skip=CKV_AWS_150:a trial can be taken down; prod is protected
  # checkov:skip=CKV2_AWS_20:with a certificate port 80 leads to HTTPS, which checkov does not see through the condition
  # checkov:skip=CKV2_AWS_28:aws_wafv2_web_acl_association.this stands before both
  # checkov:skip=CKV2_AWS_76:aws_wafv2_web_acl.this has those rules in rule_json, which checkov does not read
  for_each = local.balancers

  name                       = "${local.name}-${each.key}"
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = [for subnet in aws_subnet.public : subnet.id]
  security_groups            = [aws_security_group.this["${each.key}_alb"].id]
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"
  enable_http2               = true
  enable_waf_fail_open       = false
  idle_timeout               = var.idle_timeout_seconds
  enable_deletion_protection = coalesce(var.load_balancer_deletion_protection, var.stage == "prod") && !var.destroyable

  access_logs {
    bucket  = aws_s3_bucket.logs["load-balancer-logs"].id
    prefix  = each.key
    enabled = true
  }

  # It writes a test object at once.
  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_lb_target_group" "this" {
  # checkov:skip=CKV_AWS_378:inside the network the containers speak HTTP, and take it from the load balancer alone
  for_each = local.balancers

  name_prefix          = substr(each.key, 0, 5)
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = each.value.port
  vpc_id               = aws_vpc.this.id
  deregistration_delay = 30

  health_check {
    path                = each.value.health
    protocol            = "HTTP"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  tags = { Name = "${local.name}-${each.key}" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "https" {
  for_each = { for name, balancer in local.balancers : name => balancer if local.has_certificate }

  load_balancer_arn = aws_lb.this[each.key].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }
}

resource "aws_lb_listener" "http" {
  # checkov:skip=CKV_AWS_2:with a certificate it leads to HTTPS, and without one it is for a trial alone
  # checkov:skip=CKV_AWS_103:with a certificate it leads to HTTPS, and without one it is for a trial alone
  for_each = local.balancers

  load_balancer_arn = aws_lb.this[each.key].arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = local.has_certificate ? "redirect" : "forward"
    target_group_arn = local.has_certificate ? null : aws_lb_target_group.this[each.key].arn

    dynamic "redirect" {
      for_each = local.has_certificate ? [1] : []

      content {
        port        = "443"
        protocol    = "HTTPS"
        status_code = "HTTP_301"
      }
    }
  }
}

resource "aws_route53_record" "this" {
  for_each = local.alias_records

  zone_id = var.hosted_zone_id
  name    = each.value
  type    = "A"

  alias {
    name                   = aws_lb.this[each.key].dns_name
    zone_id                = aws_lb.this[each.key].zone_id
    evaluate_target_health = true
  }
}

# The subscription, which is paid for a year, is made by hand: to destroy this must not end it.
resource "aws_shield_protection" "this" {
  for_each = { for name, balancer in local.balancers : name => balancer if var.shield_advanced }

  name         = "${local.name}-${each.key}"
  resource_arn = aws_lb.this[each.key].arn
}

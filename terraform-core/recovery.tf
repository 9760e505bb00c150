# What a second Region needs beforehand: the images, and names that turn to it by themselves.
# docs/operations/recover.md has the commands for the database, which needs a key and subnets of that Region.

# A Region of an account has one such configuration, for all its repositories.
resource "aws_ecr_replication_configuration" "this" {
  count = var.recovery_region == null ? 0 : 1

  replication_configuration {
    rule {
      destination {
        region      = var.recovery_region
        registry_id = local.account_id
      }

      repository_filter {
        filter      = local.name
        filter_type = "PREFIX_MATCH"
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.recovery_region != local.region
      error_message = "recovery_region must be another Region than that of the deployment."
    }
  }
}

locals {
  failover_targets = merge([
    for name, target in var.failover_targets : {
      for role in ["primary", "secondary"] : "${name}-${role}" => {
        name = name, role = role, dns_name = target["${role}_dns_name"], zone_id = target["${role}_zone_id"]
      }
    }
  ]...)
}

resource "aws_route53_health_check" "primary" {
  for_each = var.failover_targets

  fqdn              = each.value.primary_dns_name
  type              = var.certificate_arn == null ? "HTTP" : "HTTPS"
  port              = var.certificate_arn == null ? 80 : 443
  resource_path     = lookup(each.value, "path", "/")
  request_interval  = 30
  failure_threshold = 3

  tags = { Name = each.key }
}

resource "aws_route53_record" "failover" {
  # checkov:skip=CKV2_AWS_23:the load balancers are those of two deployments, and named by variables
  for_each = local.failover_targets

  zone_id         = var.failover_zone_id
  name            = each.value.name
  type            = "A"
  set_identifier  = each.value.role
  health_check_id = each.value.role == "primary" ? aws_route53_health_check.primary[each.value.name].id : null

  failover_routing_policy {
    type = upper(each.value.role)
  }

  alias {
    name                   = each.value.dns_name
    zone_id                = each.value.zone_id
    evaluate_target_health = each.value.role == "primary"
  }

  lifecycle {
    precondition {
      condition     = var.failover_zone_id != null
      error_message = "failover_targets needs failover_zone_id, the zone that their names are in."
    }
  }
}

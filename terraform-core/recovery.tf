# What a second Region needs beforehand: the images, what people know, and names that turn to it by themselves.
# Its database, in database.tf, follows that of the first by database_primary.

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

# What people wrote, to the bucket of the second Region's stack; its index is made there.
locals {
  copied_knowledge = var.knowledge_copy_bucket == null ? [] : [
    "policy.yaml", "catalog.yaml", "glossary.yaml", "metrics.yaml", "verified.yaml", "documents/",
  ]
  knowledge_buckets = { for name, bucket in { source = var.knowledge_bucket, copy = var.knowledge_copy_bucket } :
    name => "arn:${local.partition}:s3:::${coalesce(bucket, "none")}"
  }
}

resource "aws_iam_role" "knowledge_copy" {
  count = var.knowledge_copy_bucket == null ? 0 : 1

  name        = "${local.iam_name}-knowledge-copy"
  description = "Lets S3 copy what people know to the bucket of the second Region."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForCopies"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "s3.amazonaws.com" }
      Condition = {
        ArnLike      = { "aws:SourceArn" = local.knowledge_buckets.source }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

# Both buckets are encrypted with S3's own keys, which let whoever may read and write the objects use them.
resource "aws_iam_role_policy" "knowledge_copy" {
  count = var.knowledge_copy_bucket == null ? 0 : 1

  name = "copy-knowledge"
  role = aws_iam_role.knowledge_copy[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SeeTheSource"
        Effect   = "Allow"
        Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
        Resource = local.knowledge_buckets.source
      },
      {
        Sid      = "ReadTheSource"
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
        Resource = "${local.knowledge_buckets.source}/*"
      },
      {
        Sid       = "WriteTheCopy"
        Effect    = "Allow"
        Action    = ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]
        Resource  = "${local.knowledge_buckets.copy}/*"
        Condition = local.own_account
      },
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "knowledge" {
  count = var.knowledge_copy_bucket == null ? 0 : 1

  bucket = var.knowledge_bucket
  role   = aws_iam_role.knowledge_copy[0].arn

  dynamic "rule" {
    for_each = local.copied_knowledge

    content {
      id       = replace(trimsuffix(rule.value, "/"), ".", "-")
      status   = "Enabled"
      priority = rule.key

      filter {
        prefix = rule.value
      }

      delete_marker_replication {
        status = "Enabled"
      }

      source_selection_criteria {
        sse_kms_encrypted_objects {
          status = "Enabled"
        }
      }

      destination {
        bucket = local.knowledge_buckets.copy

        encryption_configuration {
          replica_kms_key_id = "arn:${local.partition}:kms:${var.recovery_region}:${local.account_id}:alias/aws/s3"
        }
      }
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

# What is stopped before it reaches a load balancer.
#
# Requests to the API hold questions and SQL, and answers to them go to people who may ask: so of the managed
# rules those that look for SQL, markup and paths in bodies only count. Its own checks are what stops SQL.

locals {
  firewall_groups = merge(
    {
      AWSManagedRulesAmazonIpReputationList = []
      AWSManagedRulesCommonRuleSet = [
        "CrossSiteScripting_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "SizeRestrictions_BODY", # 8 KiB, and a question with its session may be larger
      ]
      AWSManagedRulesKnownBadInputsRuleSet = []
      AWSManagedRulesSQLiRuleSet           = ["SQLiExtendedPatterns_BODY", "SQLi_BODY"]
    },
    # Machines that call the API are no browsers.
    var.bot_control ? { AWSManagedRulesBotControlRuleSet = ["CategoryHttpLibrary", "SignalNonBrowserUserAgent"] } : {},
  )
  # In the order of cost: what looks at the address alone comes first.
  firewall_order = [
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesSQLiRuleSet",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesBotControlRuleSet",
  ]
  firewall_managed_rules = [
    for name in local.firewall_order : {
      Name           = name
      Priority       = 10 + index(local.firewall_order, name)
      OverrideAction = { None = {} }
      Statement = {
        ManagedRuleGroupStatement = merge(
          { VendorName = "AWS", Name = name },
          length(local.firewall_groups[name]) == 0 ? {} : {
            RuleActionOverrides = [
              for rule in local.firewall_groups[name] : { Name = rule, ActionToUse = { Count = {} } }
            ]
          },
          name != "AWSManagedRulesBotControlRuleSet" ? {} : {
            ManagedRuleGroupConfigs = [{ AWSManagedRulesBotControlRuleSet = { InspectionLevel = "COMMON" } }]
          },
        )
      }
      VisibilityConfig = {
        CloudWatchMetricsEnabled = true
        MetricName               = name
        SampledRequestsEnabled   = false # a sample would show questions
      }
    } if contains(keys(local.firewall_groups), name)
  ]
  firewall_rate_rule = {
    Name     = "RateLimit"
    Priority = 0
    Action   = { Block = {} }
    Statement = {
      RateBasedStatement = {
        Limit               = var.rate_limit
        EvaluationWindowSec = 300
        AggregateKeyType    = "IP"
        ScopeDownStatement = {
          NotStatement = { Statement = { IPSetReferenceStatement = { ARN = aws_wafv2_ip_set.own.arn } } }
        }
      }
    }
    VisibilityConfig = {
      CloudWatchMetricsEnabled = true
      MetricName               = "RateLimit"
      SampledRequestsEnabled   = false
    }
  }
}

# Behind these addresses are many people: those of the gateway, which has its own limit, and of the page's server.
resource "aws_wafv2_ip_set" "own" {
  name               = "${local.name}-own"
  description        = "Addresses of the network itself, inside and as the world sees them."
  scope              = "REGIONAL"
  ip_address_version = "IPV4"
  addresses          = concat([var.vpc_cidr], [for address in aws_eip.nat : "${address.public_ip}/32"])
}

# rule_json, for the bindings that the checks read the provider's schema from leave `statement` open; a test
# holds it against WAF's own model. The price: Terraform does not see when somebody changes a rule by hand.
resource "aws_wafv2_web_acl" "this" {
  # checkov:skip=CKV_AWS_175:its rules are in rule_json, which checkov does not read
  # checkov:skip=CKV_AWS_192:AWSManagedRulesKnownBadInputsRuleSet is in rule_json, which checkov does not read
  name        = local.name
  description = "Before the load balancers of the page and the API."
  scope       = "REGIONAL"
  rule_json   = jsonencode(concat([local.firewall_rate_rule], local.firewall_managed_rules))

  default_action {
    allow {}
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.name
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  for_each = local.balancers

  resource_arn = aws_lb.this[each.key].arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

# ── what was stopped ─────────────────────────────────────────────────────────────────────────────

resource "aws_cloudwatch_log_group" "firewall" {
  # checkov:skip=CKV_AWS_338:how long logs are kept is the operator's to say, by log_retention_days
  name              = "aws-waf-logs-${local.name}" # WAF writes to no other name
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this["logs"].arn
}

resource "aws_cloudwatch_log_resource_policy" "firewall" {
  policy_name = "${local.name}-firewall"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TakeFromFirewall"
      Effect    = "Allow"
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Resource  = "${aws_cloudwatch_log_group.firewall.arn}:*"
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:logs:${local.region}:${local.account_id}:*" }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  # Tokens, sessions and the gateway's secret travel in these.
  dynamic "redacted_fields" {
    for_each = ["authorization", "cookie", "x-text2sql-gateway"]
    iterator = header

    content {
      single_header {
        name = header.value
      }
    }
  }

  # Of what passes the load balancers tell.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      dynamic "condition" {
        for_each = ["BLOCK", "COUNT", "EXCLUDED_AS_COUNT"]

        content {
          action_condition {
            action = condition.value
          }
        }
      }
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.firewall]
}

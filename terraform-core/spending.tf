# Who is told of money. Figures are those of the whole account, for a tag counts only once it is activated for costs.

resource "aws_budgets_budget" "this" {
  count = var.monthly_budget == 0 ? 0 : 1

  name         = local.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = format("%.1f", var.monthly_budget)
  limit_unit   = "USD"

  notification {
    notification_type         = "FORECASTED"
    comparison_operator       = "GREATER_THAN"
    threshold                 = 80
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
  }

  notification {
    notification_type         = "ACTUAL"
    comparison_operator       = "GREATER_THAN"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

locals {
  watch_anomalies = coalesce(var.watch_spending_anomalies, length(var.alarm_emails) > 0)
}

# An account has one monitor of this kind at most.
resource "aws_ce_anomaly_monitor" "this" {
  count = local.watch_anomalies && var.anomaly_monitor_arn == null ? 1 : 0

  name              = local.name
  monitor_type      = "DIMENSIONAL"
  monitor_dimension = "SERVICE"
}

resource "aws_ce_anomaly_subscription" "this" {
  count = local.watch_anomalies ? 1 : 0

  name             = local.name
  frequency        = "IMMEDIATE" # the one that a topic takes
  monitor_arn_list = [var.anomaly_monitor_arn == null ? aws_ce_anomaly_monitor.this[0].arn : var.anomaly_monitor_arn]

  subscriber {
    type    = "SNS"
    address = aws_sns_topic.alarms.arn
  }

  threshold_expression {
    dimension {
      key           = "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
      match_options = ["GREATER_THAN_OR_EQUAL"]
      values        = [tostring(var.anomaly_amount)]
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

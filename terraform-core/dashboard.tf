# One page on how the deployment is: the alarms, what they look at, and how questions are answered.

locals {
  # What the alarms look at, with their thresholds as lines.
  alarm_charts = {
    for title in distinct([for alarm in values(local.alarms) : alarm.chart if alarm.chart != null]) : title => {
      metrics = [
        for key, alarm in local.alarms : concat(
          [alarm.namespace, alarm.metric],
          flatten([for name, value in alarm.dimensions : [name, value]]),
          [{ stat = alarm.statistic, label = key }],
        ) if alarm.chart == title
      ]
      lines = distinct([for alarm in values(local.alarms) : alarm.threshold if alarm.chart == title])
    }
  }

  other_charts = {
    "Load balancers: requests" = flatten([
      for service, suffix in local.watched.load_balancers : [
        for metric in ["RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_4XX_Count"] :
        { line = ["AWS/ApplicationELB", metric, "LoadBalancer", suffix, { stat = "Sum", label = "${service} ${metric}" }] }
      ]
    ])
    "Questions and syncs" = flatten([
      for machine, arn in local.watched.state_machines : [
        for metric in ["ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut"] :
        { line = ["AWS/States", metric, "StateMachineArn", arn, { stat = "Sum", label = "${machine} ${metric}" }] }
      ]
    ])
    "Time of a question, p95 (ms)" = [
      for machine, arn in local.watched.state_machines :
      { line = ["AWS/States", "ExecutionTime", "StateMachineArn", arn, { stat = "p95", label = machine }] }
      if machine != "sync-knowledge"
    ]
    # The workflow's own figures know no stage: two stages in one account are added up.
    "Time of a step, p95 (s)" = [
      for step in local.watched.steps :
      { line = ["Text2Sql", "Seconds", "service", step, { stat = "p95", label = step }] }
    ]
    "Steps that failed" = [
      for step in concat(local.watched.steps, local.watched.syncs) :
      { line = ["Text2Sql", "Failed", "service", step, { stat = "Sum", label = step }] }
    ]
    "Tokens of the model" = flatten([
      for step in ["RewriteQuestion", "GenerateSql", "ComposeAnswer"] : [
        for metric in ["PromptTokens", "CompletionTokens"] :
        { line = ["Text2Sql", metric, "service", step, { stat = "Sum", label = "${step} ${metric}" }] }
      ]
    ])
    "Documents" = [
      for metric in ["DocumentsIndexed", "DocumentsRemoved", "DocumentsFailed"] :
      { line = ["Text2Sql", metric, "service", "SyncDocuments", { stat = "Sum", label = metric }] }
    ]
    "Schema" = [
      for metric in ["SchemaChanges", "Misfits"] :
      { line = ["Text2Sql", metric, "service", "SyncSchema", { stat = "Sum", label = metric }] }
    ]
  }

  # CloudFormation makes up the names of functions, queues and the gateway; what can be searched for is their stack's.
  searches = {
    "Functions: errors"           = { of = "{AWS/Lambda,FunctionName} MetricName=\"Errors\" ${replace(local.name, "-", " ")}", stat = "Sum" }
    "Functions: throttled"        = { of = "{AWS/Lambda,FunctionName} MetricName=\"Throttles\" ${replace(local.name, "-", " ")}", stat = "Sum" }
    "Queues: messages"            = { of = "{AWS/SQS,QueueName} MetricName=\"ApproximateNumberOfMessagesVisible\" ${replace(local.name, "-", " ")}", stat = "Maximum" }
    "All HTTP APIs: 5xx"          = { of = "{AWS/ApiGateway,ApiId} MetricName=\"5xx\"", stat = "Sum" }
    "All HTTP APIs: latency (ms)" = { of = "{AWS/ApiGateway,ApiId} MetricName=\"Latency\"", stat = "p95" }
  }

  widgets = concat(
    [{
      type       = "alarm", width = 24, height = 4
      properties = { title = "Alarms", alarms = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn] }
    }],
    [for title, chart in local.alarm_charts : {
      type = "metric", width = 8, height = 6
      properties = {
        title       = title, region = local.region, view = "timeSeries", period = 300, metrics = chart.metrics
        annotations = { horizontal = [for line in chart.lines : { label = "alarm", value = line }] }
      }
    }],
    [for title, lines in local.other_charts : {
      type = "metric", width = 8, height = 6
      properties = {
        title   = title, region = local.region, view = "timeSeries", period = 300
        metrics = [for each in lines : each.line]
      }
    } if length(lines) > 0],
    [for title, search in local.searches : {
      type = "metric", width = 8, height = 6
      properties = {
        title   = title, region = local.region, view = "timeSeries", period = 300
        metrics = [[{ expression = "SEARCH('${search.of}', '${search.stat}', 300)", id = "search" }]]
      }
    }],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.name
  # Without places the widgets follow one another.
  dashboard_body = jsonencode({ start = "-PT12H", widgets = local.widgets })
}

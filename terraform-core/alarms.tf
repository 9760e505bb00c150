# What wakes somebody: the containers, the database, the load balancers. template.yaml has the workflow's alarms.

locals {
  thresholds = merge({
    service_cpu_percent       = 85
    service_memory_percent    = 85
    database_cpu_percent      = 80
    database_connections      = 800
    database_free_gib         = 4
    database_read_seconds     = 0.02
    database_write_seconds    = 0.05
    replica_lag_seconds       = 300
    frontend_response_seconds = 2
    backend_response_seconds  = 20
    target_5xx                = 10
    load_balancer_5xx         = 10
    unhealthy_targets         = 1
    healthy_targets           = 1
  }, var.alarm_thresholds)

  alarms_of_services = merge([
    for service, name in local.watched.services : {
      for metric, alarm in {
        CPUUtilization    = { short = "cpu", limit = "service_cpu_percent", section = "services-are-busy" }
        MemoryUtilization = { short = "memory", limit = "service_memory_percent", section = "services-run-out-of-memory" }
        } : "${service}-${alarm.short}" => {
        what       = "The ${service}'s containers use more than ${local.thresholds[alarm.limit]} % of their ${alarm.short}."
        runbook    = alarm.section
        chart      = "Containers: ${alarm.short} (%)"
        namespace  = "AWS/ECS"
        metric     = metric
        dimensions = { ClusterName = local.watched.cluster, ServiceName = name }
        statistic  = "Average"
        is         = "GreaterThanThreshold"
        threshold  = local.thresholds[alarm.limit]
        seconds    = 300
        periods    = 3
        missing    = "notBreaching" # a service that is scaled to nothing has no figures
      }
    }
  ]...)

  # Of each server, the replicas too.
  alarms_of_databases = merge([
    for database, identifier in merge(local.watched.databases, local.watched.replicas) : {
      for short, alarm in {
        cpu = {
          metric    = "CPUUtilization", statistic = "Average", is = "GreaterThanThreshold", periods = 3
          threshold = local.thresholds.database_cpu_percent, section = "the-database-is-busy", chart = "CPU (%)"
          what      = "uses more than ${local.thresholds.database_cpu_percent} % of its CPU"
        }
        connections = {
          metric    = "DatabaseConnections", statistic = "Maximum", is = "GreaterThanThreshold", periods = 2
          threshold = local.thresholds.database_connections, section = "the-database-runs-out-of-connections", chart = "connections"
          what      = "has more than ${local.thresholds.database_connections} connections"
        }
        storage = {
          metric    = "FreeStorageSpace", statistic = "Minimum", is = "LessThanThreshold", periods = 1
          threshold = local.thresholds.database_free_gib * pow(1024, 3), section = "the-database-runs-out-of-storage", chart = "free storage (bytes)"
          what      = "has less than ${local.thresholds.database_free_gib} GiB left"
        }
        reads = {
          metric    = "ReadLatency", statistic = "Average", is = "GreaterThanThreshold", periods = 3
          threshold = local.thresholds.database_read_seconds, section = "the-disk-is-slow", chart = "time of a read (s)"
          what      = "waits for its disk, ${local.thresholds.database_read_seconds} s and more for a read"
        }
        writes = {
          metric    = "WriteLatency", statistic = "Average", is = "GreaterThanThreshold", periods = 3
          threshold = local.thresholds.database_write_seconds, section = "the-disk-is-slow", chart = "time of a write (s)"
          what      = "waits for its disk, ${local.thresholds.database_write_seconds} s and more for a write"
        }
        # A server that runs tells its CPU each minute.
        silent = {
          metric    = "CPUUtilization", statistic = "SampleCount", is = "LessThanThreshold", periods = 2
          threshold = 1, section = "the-database-is-silent", chart = null
          what      = "has said nothing for ten minutes"
        }
        } : "database-${database}-${short}" => {
        what       = "The database (${database}) ${alarm.what}."
        runbook    = alarm.section
        chart      = alarm.chart == null ? null : "Database: ${alarm.chart}"
        namespace  = "AWS/RDS"
        metric     = alarm.metric
        dimensions = { DBInstanceIdentifier = identifier }
        statistic  = alarm.statistic
        is         = alarm.is
        threshold  = alarm.threshold
        seconds    = 300
        periods    = alarm.periods
        missing    = short == "silent" ? "breaching" : "missing"
      }
    }
  ]...)

  alarms_of_replicas = {
    for replica, identifier in local.watched.replicas : "database-${replica}-lag" => {
      what       = "The database (${replica}) is more than ${local.thresholds.replica_lag_seconds} s behind."
      runbook    = "the-replica-lags"
      chart      = "Database: lag of a replica (s)"
      namespace  = "AWS/RDS"
      metric     = "ReplicaLag"
      dimensions = { DBInstanceIdentifier = identifier }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = local.thresholds.replica_lag_seconds
      seconds    = 300
      periods    = 2
      missing    = "breaching"
    }
  }

  # Without requests a load balancer has no figures of them.
  alarms_of_load_balancers = merge([
    for service, suffix in local.watched.load_balancers : {
      for short, alarm in {
        target-5xx = {
          metric    = "HTTPCode_Target_5XX_Count", statistic = "Sum", is = "GreaterThanOrEqualToThreshold", periods = 1
          threshold = local.thresholds.target_5xx, section = "the-load-balancer-answers-with-5xx", chart = "5xx of the containers"
          what      = "The ${service}'s containers answered ${local.thresholds.target_5xx} times and more with 5xx."
        }
        own-5xx = {
          metric    = "HTTPCode_ELB_5XX_Count", statistic = "Sum", is = "GreaterThanOrEqualToThreshold", periods = 1
          threshold = local.thresholds.load_balancer_5xx, section = "the-load-balancer-answers-with-5xx", chart = "5xx of its own"
          what      = "The ${service}'s load balancer itself answered ${local.thresholds.load_balancer_5xx} times and more with 5xx."
        }
        slow = {
          metric    = "TargetResponseTime", statistic = "p95", is = "GreaterThanThreshold", periods = 3
          threshold = local.thresholds["${service}_response_seconds"], section = "answers-take-long", chart = "time of an answer, p95 (s)"
          what      = "One in twenty answers of the ${service} takes more than ${local.thresholds["${service}_response_seconds"]} s."
        }
        } : "${service}-${short}" => {
        what       = alarm.what
        runbook    = alarm.section
        chart      = "Load balancers: ${alarm.chart}"
        namespace  = "AWS/ApplicationELB"
        metric     = alarm.metric
        dimensions = { LoadBalancer = suffix }
        statistic  = alarm.statistic
        is         = alarm.is
        threshold  = alarm.threshold
        seconds    = 300
        periods    = alarm.periods
        missing    = "notBreaching"
      }
    }
  ]...)

  alarms_of_targets = merge([
    for service, suffix in local.watched.target_groups : {
      for short, alarm in {
        unhealthy = {
          metric    = "UnHealthyHostCount", statistic = "Maximum", is = "GreaterThanOrEqualToThreshold", missing = "notBreaching"
          threshold = local.thresholds.unhealthy_targets, chart = "unhealthy targets"
          what      = "${local.thresholds.unhealthy_targets} and more of the ${service}'s containers fail their health check."
        }
        healthy = {
          metric    = "HealthyHostCount", statistic = "Minimum", is = "LessThanThreshold", missing = "breaching"
          threshold = local.thresholds.healthy_targets, chart = "healthy targets"
          what      = "Fewer than ${local.thresholds.healthy_targets} of the ${service}'s containers pass their health check."
        }
        } : "${service}-${short}" => {
        what       = alarm.what
        runbook    = "targets-are-unhealthy"
        chart      = "Load balancers: ${alarm.chart}"
        namespace  = "AWS/ApplicationELB"
        metric     = alarm.metric
        dimensions = { TargetGroup = suffix, LoadBalancer = local.watched.load_balancers[service] }
        statistic  = alarm.statistic
        is         = alarm.is
        threshold  = alarm.threshold
        seconds    = 60
        periods    = 5
        missing    = alarm.missing
      }
    }
  ]...)

  alarms = merge(
    local.alarms_of_services,
    local.alarms_of_databases,
    local.alarms_of_replicas,
    local.alarms_of_load_balancers,
    local.alarms_of_targets,
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "${each.value.what} See docs/operations/troubleshooting.md#${each.value.runbook}."
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.is
  threshold           = each.value.threshold
  period              = each.value.seconds
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
}

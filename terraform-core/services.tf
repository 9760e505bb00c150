# The page and the API: what runs, how many of each, and how they are renewed.

locals {
  jobs_machine     = "${local.name}-answer-question"
  jobs_machine_now = "${local.name}-answer-question-now"
  states_arn       = "arn:${local.partition}:states:${local.region}:${local.account_id}"

  # Where this deployment is, for both; on instances ECS does not say so.
  region_environment = { AWS_REGION = local.region, AWS_DEFAULT_REGION = local.region }
  # The state machines' names are known; what CloudFormation names comes by stack_parameters.
  api_environment = merge(local.region_environment, {
    TEXT2SQL_API_STATE_MACHINE     = "${local.states_arn}:stateMachine:${local.jobs_machine}"
    TEXT2SQL_API_STATE_MACHINE_NOW = "${local.states_arn}:stateMachine:${local.jobs_machine_now}"
    TEXT2SQL_API_RUN_SECONDS       = "25" # the gateway waits 30 s
    TEXT2SQL_API_ISSUER            = local.token_issuer
    TEXT2SQL_API_CLIENT_IDS        = join(",", local.token_client_ids)
  }, var.api_environment)
  page_environment = merge(local.region_environment, {
    NODE_ENV = "production"
    HOSTNAME = "0.0.0.0" # where Next.js listens
    PORT     = "3000"
  }, var.page_environment)

  services = {
    frontend = {
      environment = local.page_environment
      secrets     = {}
      parameters  = {}
      sysctls     = []
      health      = ["CMD", "node", "-e", "fetch('http://127.0.0.1:3000${var.frontend_health_path}').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
    }
    backend = {
      environment = local.api_environment
      secrets = merge(
        { for version in local.gateway_secret_given : "TEXT2SQL_API_GATEWAY_SECRET" => aws_secretsmanager_secret.gateway.arn },
        var.api_secrets,
      )
      parameters = {
        for setting, name in local.stack_parameters :
        setting => "arn:${local.partition}:ssm:${local.region}:${local.account_id}:parameter/text2sql/stack/${name}"
        if !contains(keys(var.api_environment), setting)
      }
      sysctls = [{ namespace = "net.ipv4.ip_unprivileged_port_start", value = "0" }] # port 80 without root
      # As in the image, whose own health check ECS does not look at.
      health = ["CMD", "python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['TEXT2SQL_API_PORT']), timeout=3); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
    }
  }
  images = {
    for name, service in local.services : name =>
    "${lookup(var.image_repositories, name, aws_ecr_repository.this[name].repository_url)}:${lookup(var.image_tags, name, "none")}"
  }
  # Of what has no tag there is nothing to run yet.
  task_counts = {
    for name, service in local.services : name => {
      min = contains(keys(var.image_tags), name) ? var.tasks[name].min : 0
      max = contains(keys(var.image_tags), name) ? var.tasks[name].max : 0
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  # checkov:skip=CKV_AWS_336:the root file system is read-only unless execute_command wants it writable
  for_each = local.services

  family                   = "${local.name}-${each.key}"
  cpu                      = tostring(var.task_cpu)
  memory                   = tostring(var.task_memory)
  network_mode             = "awsvpc"
  requires_compatibilities = [contains(var.ec2_services, each.key) ? "EC2" : "FARGATE"]
  execution_role_arn       = aws_iam_role.execution[each.key].arn
  task_role_arn            = aws_iam_role.task[each.key].arn

  runtime_platform {
    cpu_architecture        = "X86_64"
    operating_system_family = "LINUX"
  }

  volume {
    name = "tmp"
  }

  volume {
    name = "log-router-tmp"
  }

  container_definitions = jsonencode([
    {
      name                   = each.key
      image                  = local.images[each.key]
      essential              = true
      user                   = "10001:10001"
      readonlyRootFilesystem = !var.execute_command # the agent of a shell writes to it
      privileged             = false
      stopTimeout            = 30
      portMappings           = [{ containerPort = local.balancers[each.key].port, protocol = "tcp" }]
      environment            = [for name, value in each.value.environment : { name = name, value = value }]
      secrets                = [for name, arn in merge(each.value.parameters, each.value.secrets) : { name = name, valueFrom = arn }]
      systemControls         = each.value.sysctls
      mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
      linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
      healthCheck            = { command = each.value.health, interval = 10, timeout = 5, retries = 3, startPeriod = 30 }
      dependsOn              = [{ containerName = "log-router", condition = "START" }]
      logConfiguration = {
        logDriver = "awsfirelens"
        options = var.log_router_config != null ? {} : {
          Name            = "kinesis_firehose"
          region          = local.region
          delivery_stream = aws_kinesis_firehose_delivery_stream.containers[each.key].name
          time_key        = "received"
        }
      }
    },
    {
      name                   = "log-router"
      image                  = var.log_router_image
      essential              = true # a task whose log is lost is replaced
      user                   = tostring(var.log_router_user)
      readonlyRootFilesystem = true
      privileged             = false
      memoryReservation      = 128
      mountPoints            = [{ sourceVolume = "log-router-tmp", containerPath = "/tmp", readOnly = false }]
      environment = [
        { name = "AWS_REGION", value = local.region },
        { name = "LOG_DELIVERY_STREAM", value = aws_kinesis_firehose_delivery_stream.containers[each.key].name },
      ]
      firelensConfiguration = {
        type = "fluentbit"
        options = {
          enable-ecs-log-metadata = "true"
          config-file-type        = "file"
          config-file-value       = coalesce(var.log_router_config, "/fluent-bit/configs/parse-json.conf")
        }
      }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.containers.name
          awslogs-region        = local.region
          awslogs-stream-prefix = each.key
        }
      }
    },
  ])
}

resource "aws_ecs_service" "this" {
  for_each = local.services

  name                               = each.key
  cluster                            = aws_ecs_cluster.this.arn
  task_definition                    = aws_ecs_task_definition.this[each.key].arn
  desired_count                      = local.task_counts[each.key].min
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  availability_zone_rebalancing      = "ENABLED"
  enable_execute_command             = var.execute_command
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  force_new_deployment               = true # without it a new strategy replaces the service

  dynamic "capacity_provider_strategy" {
    for_each = contains(var.ec2_services, each.key) ? local.ec2_strategy : local.fargate_strategy
    iterator = share

    content {
      capacity_provider = share.value.provider
      base              = share.value.base
      weight            = share.value.weight
    }
  }

  network_configuration {
    subnets          = [for subnet in aws_subnet.private : subnet.id]
    security_groups  = [aws_security_group.this[each.key].id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this[each.key].arn
    container_name   = each.key
    container_port   = local.balancers[each.key].port
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count] # scaling says how many
  }

  # A group of targets can be used once a listener leads to it, and a role once it has its rights.
  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.task,
    aws_lb_listener.http,
    aws_lb_listener.https,
  ]
}

# ── how many ─────────────────────────────────────────────────────────────────────────────────────

locals {
  scaling = merge([
    for name in keys(local.services) : {
      "${name}-cpu"      = { service = name, metric = "ECSServiceAverageCPUUtilization", target = var.scaling_targets.cpu }
      "${name}-memory"   = { service = name, metric = "ECSServiceAverageMemoryUtilization", target = var.scaling_targets.memory }
      "${name}-requests" = { service = name, metric = "ALBRequestCountPerTarget", target = var.scaling_targets.requests }
    }
  ]...)
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.services

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  min_capacity       = local.task_counts[each.key].min
  max_capacity       = local.task_counts[each.key].max
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.scaling

  name               = each.key
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.value.service].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.value.service].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.value.service].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.target
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
      resource_label = (
        each.value.metric != "ALBRequestCountPerTarget" ? null :
        "${aws_lb.this[each.value.service].arn_suffix}/${aws_lb_target_group.this[each.value.service].arn_suffix}"
      )
    }
  }
}

# What holds of the load balancers and the services whatever the account: `terraform test` asks no provider.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["zone-a", "zone-b", "zone-c", "zone-d"] }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "region-1" }
  }
}

run "trial" {
  command = plan

  assert {
    condition     = alltrue([for balancer in aws_lb.this : !balancer.internal && balancer.drop_invalid_header_fields])
    error_message = "The load balancers face the world, and drop broken headers."
  }

  assert {
    condition     = alltrue([for name, balancer in aws_lb.this : balancer.access_logs[0].enabled && balancer.access_logs[0].prefix == name])
    error_message = "Each load balancer logs under its name."
  }

  assert {
    condition     = alltrue([for balancer in aws_lb.this : !balancer.enable_deletion_protection])
    error_message = "A trial can be taken down."
  }

  assert {
    condition     = length(aws_lb_listener.https) == 0
    error_message = "Without a certificate nobody speaks HTTPS."
  }

  assert {
    condition     = alltrue([for listener in aws_lb_listener.http : listener.default_action[0].type == "forward"])
    error_message = "Without a certificate port 80 leads to the containers."
  }

  assert {
    condition     = aws_lb_target_group.this["backend"].health_check[0].path == "/healthz"
    error_message = "The API is asked after its health."
  }

  assert {
    condition     = aws_lb_target_group.this["frontend"].port == 3000 && aws_lb_target_group.this["backend"].port == 80
    error_message = "The page listens on 3000 and the API on 80."
  }

  assert {
    condition     = keys(aws_wafv2_web_acl_association.this) == ["backend", "frontend"]
    error_message = "The firewall stands before both."
  }

  assert {
    condition     = length(aws_shield_protection.this) == 0
    error_message = "Shield Advanced is not on by itself."
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push])
    error_message = "Images are scanned, and their tags cannot be moved."
  }

  assert {
    condition     = one(aws_ecs_cluster.this.setting).value == "enabled"
    error_message = "The cluster is measured."
  }

  assert {
    condition     = length(aws_autoscaling_group.instances) == 0
    error_message = "No instance is paid for by itself."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.this : service.desired_count == 0])
    error_message = "Without images no task is started."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.this : !service.network_configuration[0].assign_public_ip])
    error_message = "No task has a public address."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.this : service.deployment_circuit_breaker[0].enable && service.deployment_circuit_breaker[0].rollback])
    error_message = "A deployment that fails is rolled back."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.this : !service.enable_execute_command])
    error_message = "No shell can be opened in a task."
  }

  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : task.cpu == "1024" && task.memory == "4096"])
    error_message = "A task has one vCPU and 4 GB."
  }

  assert {
    condition     = length(aws_appautoscaling_policy.this) == 6
    error_message = "Both services are scaled by CPU, memory and requests."
  }

  assert {
    condition     = alltrue([for stream in aws_kinesis_firehose_delivery_stream.containers : stream.server_side_encryption[0].enabled])
    error_message = "Logs are encrypted on their way."
  }

  assert {
    condition     = aws_secretsmanager_secret.gateway.name == "text2sql-dev/gateway/0" && length(aws_secretsmanager_secret_version.gateway) == 0
    error_message = "No value of the gateway's secret is made up."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.gateway.to_port == 80
    error_message = "The gateway reaches the API where it listens."
  }
}

run "all_switched_on" {
  command = plan

  variables {
    stage           = "prod"
    image_tags      = { frontend = "4f2a", backend = "4f2a" }
    certificate_arn = "arn:aws:acm:region-1:123456789012:certificate/1"
    frontend_domain = "ask.example.com"
    shield_advanced = true
    ec2_capacity    = true
    ec2_services    = ["backend"]
    ec2_base        = 20
  }

  assert {
    condition     = alltrue([for listener in aws_lb_listener.http : listener.default_action[0].type == "redirect"])
    error_message = "Port 80 leads to HTTPS."
  }

  assert {
    condition     = length(aws_lb_listener.https) == 2 && alltrue([for listener in aws_lb_listener.https : listener.certificate_arn == var.certificate_arn && startswith(listener.ssl_policy, "ELBSecurityPolicy-TLS13-1-2-")])
    error_message = "HTTPS is spoken with the certificate, and no old TLS."
  }

  assert {
    condition     = alltrue([for balancer in aws_lb.this : balancer.enable_deletion_protection])
    error_message = "The load balancers of prod refuse to be deleted."
  }

  assert {
    condition     = alltrue([for target in aws_appautoscaling_target.this : target.min_capacity == 1 && target.max_capacity == 4])
    error_message = "With images tasks run."
  }

  assert {
    condition     = [for share in aws_ecs_service.this["backend"].capacity_provider_strategy : share.base] == [20] && length(aws_ecs_service.this["frontend"].capacity_provider_strategy) == 2
    error_message = "A service runs on instances, or on Fargate and Fargate Spot."
  }

  assert {
    condition     = length(aws_launch_template.instances) == 1 && alltrue([for template in aws_launch_template.instances : template.metadata_options[0].http_tokens == "required"])
    error_message = "Instances tell who they are by IMDSv2 alone."
  }

  assert {
    condition     = length(aws_shield_protection.this) == 2
    error_message = "Shield Advanced protects both."
  }

  assert {
    condition     = output.frontend_url == "https://ask.example.com"
    error_message = "The page is where its name says."
  }
}

run "instances_that_are_none" {
  command = plan

  variables {
    ec2_services = ["backend"]
  }

  expect_failures = [var.ec2_services]
}

run "short_timeout" {
  command = plan

  variables {
    idle_timeout_seconds = 60
  }

  expect_failures = [var.idle_timeout_seconds]
}

run "password_in_the_open" {
  command = plan

  variables {
    api_environment = { TEXT2SQL_DATABASE_PASSWORD = "x" }
  }

  expect_failures = [var.api_environment]
}

run "fewer_tasks_at_most_than_at_least" {
  command = plan

  variables {
    tasks = { frontend = { min = 2, max = 1 }, backend = { min = 1, max = 1 } }
  }

  expect_failures = [var.tasks]
}

# Where the containers run: Fargate, Fargate Spot, and EC2 instances where they are wanted.

resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  configuration {
    execute_command_configuration {
      kms_key_id = aws_kms_key.this["logs"].arn
      logging    = "OVERRIDE"

      log_configuration {
        cloud_watch_encryption_enabled = true
        cloud_watch_log_group_name     = aws_cloudwatch_log_group.commands.name
      }
    }
  }
}

# What was typed in a shell inside a task.
resource "aws_cloudwatch_log_group" "commands" {
  # checkov:skip=CKV_AWS_338:how long logs are kept is the operator's to say, by log_retention_days
  name              = "/${local.name}/commands"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this["logs"].arn
}

# ECS refuses a strategy with two bases, or with Fargate beside a group of instances; so there are two of them.
locals {
  fargate_strategy = [
    { provider = "FARGATE", base = var.fargate_base, weight = var.capacity_weights.fargate },
    { provider = "FARGATE_SPOT", base = 0, weight = var.capacity_weights.fargate_spot },
  ]
  ec2_strategy = [
    for provider in aws_ecs_capacity_provider.ec2 :
    { provider = provider.name, base = var.ec2_base, weight = var.capacity_weights.ec2 }
  ]
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = concat(["FARGATE", "FARGATE_SPOT"], [for provider in aws_ecs_capacity_provider.ec2 : provider.name])

  dynamic "default_capacity_provider_strategy" {
    for_each = local.fargate_strategy
    iterator = share

    content {
      capacity_provider = share.value.provider
      base              = share.value.base
      weight            = share.value.weight
    }
  }
}

# ── the instances ────────────────────────────────────────────────────────────────────────────────

locals {
  ec2 = toset(var.ec2_capacity ? ["this"] : [])
}

resource "aws_iam_role" "instances" {
  for_each = local.ec2

  name        = "${local.iam_name}-instances"
  description = "Lets the cluster's instances take part in it."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForInstances"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "instances" {
  for_each = local.ec2

  role       = aws_iam_role.instances[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "instances" {
  for_each = local.ec2

  name = "${local.iam_name}-instances"
  role = aws_iam_role.instances[each.key].name
}

# Nobody calls an instance: tasks have addresses and groups of their own.
resource "aws_security_group" "instances" {
  # checkov:skip=CKV2_AWS_5:checkov does not see through for_each who uses it
  for_each = local.ec2

  name        = "${local.name}-instances"
  description = "The instances of the cluster"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${local.name}-instances" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "instances" {
  for_each = local.ec2

  security_group_id = aws_security_group.instances[each.key].id
  description       = "Services by HTTPS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

# The endpoints' private names are those that the instances find.
resource "aws_vpc_security_group_ingress_rule" "instances" {
  for_each = local.ec2

  security_group_id            = aws_security_group.this["endpoints"].id
  description                  = "The instances of the cluster"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.instances[each.key].id
}

resource "aws_launch_template" "instances" {
  for_each = local.ec2

  name_prefix   = "${local.name}-"
  image_id      = "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
  instance_type = var.ec2_instance_type
  user_data = base64encode(join("\n", [
    "#!/bin/bash",
    "cat >> /etc/ecs/ecs.config <<'END'",
    "ECS_CLUSTER=${aws_ecs_cluster.this.name}",
    "ECS_AWSVPC_BLOCK_IMDS=true",
    "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
    "END",
    "",
  ]))

  iam_instance_profile {
    arn = aws_iam_instance_profile.instances[each.key].arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  network_interfaces {
    associate_public_ip_address = false
    security_groups             = [aws_security_group.instances[each.key].id]
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type = "gp3"
      volume_size = 30
      encrypted   = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(var.tags, { Name = "${local.name}-cluster" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(var.tags, { Name = "${local.name}-cluster" })
  }
}

resource "aws_autoscaling_group" "instances" {
  for_each = local.ec2

  name                  = "${local.name}-cluster"
  min_size              = 0
  max_size              = var.ec2_instances_max
  vpc_zone_identifier   = [for subnet in aws_subnet.private : subnet.id]
  health_check_type     = "EC2"
  max_instance_lifetime = 14 * 24 * 3600 # so that each gets the newest image

  launch_template {
    id      = aws_launch_template.instances[each.key].id
    version = aws_launch_template.instances[each.key].latest_version
  }

  # ECS scales the group; it adds the tag itself where it is not there, and Terraform would remove it.
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_ecs_capacity_provider" "ec2" {
  for_each = local.ec2

  name = "${local.name}-ec2"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.instances[each.key].arn
    managed_draining               = "ENABLED"
    managed_termination_protection = "DISABLED" # tasks are drained before their instance goes

    managed_scaling {
      status                    = "ENABLED"
      target_capacity           = 100
      minimum_scaling_step_size = 1
      maximum_scaling_step_size = 2
      instance_warmup_period    = 120
    }
  }
}

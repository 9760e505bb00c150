# What holds of the network whatever the account: `terraform test` asks no provider.

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

run "defaults" {
  command = plan

  assert {
    condition     = keys(aws_subnet.public) == ["zone-a", "zone-b", "zone-c"]
    error_message = "The public subnets are in the first three zones."
  }

  assert {
    condition     = keys(aws_subnet.private) == keys(aws_subnet.public) && keys(aws_subnet.database) == keys(aws_subnet.public)
    error_message = "The private and the database subnets are in the zones of the public ones."
  }

  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.database)) : subnet.cidr_block])) == 9
    error_message = "No two subnets have the same addresses."
  }

  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.database)) : !subnet.map_public_ip_on_launch])
    error_message = "No subnet gives out public addresses."
  }

  assert {
    condition     = aws_vpc.this.cidr_block == "10.0.0.0/16"
    error_message = "The network has the brief's addresses."
  }

  assert {
    condition     = aws_vpc.this.enable_dns_hostnames && aws_vpc.this.enable_dns_support
    error_message = "Endpoints need the network's own names."
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["zone-a"]
    error_message = "A first run pays for one NAT gateway."
  }

  assert {
    condition     = length(aws_route.private) == 3 && length(aws_route_table_association.private) == 3
    error_message = "Each private subnet has a way out."
  }

  assert {
    condition     = length(aws_route_table_association.database) == 3
    error_message = "Each database subnet has the table without a way out."
  }

  assert {
    condition     = aws_route.public.destination_cidr_block == "0.0.0.0/0"
    error_message = "The public subnets reach the internet."
  }

  assert {
    condition     = alltrue([for rule in aws_network_acl.database.ingress : rule.from_port == 3306 && contains(var.private_subnets, rule.cidr_block)])
    error_message = "The database's subnets take MySQL's port from the private ones alone."
  }

  assert {
    condition     = alltrue([for rule in aws_network_acl.database.egress : contains(var.private_subnets, rule.cidr_block)])
    error_message = "The database's subnets answer the private ones alone."
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL"
    error_message = "All flows are logged."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flows.retention_in_days == 90
    error_message = "Flows are kept for 90 days."
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.anywhere) == ["backend_alb-80", "frontend_alb-80"]
    error_message = "Without a certificate the world reaches port 80 of the load balancers, and nothing else."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.group["frontend-from-alb"].from_port == 3000
    error_message = "The page listens on 3000."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.group["backend-from-alb"].from_port == 80
    error_message = "The API listens on 80."
  }

  assert {
    condition     = alltrue([for name in ["database-from-backend", "database-from-functions"] : aws_vpc_security_group_ingress_rule.group[name].from_port == 3306])
    error_message = "The database listens on 3306."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_egress_rule.https : rule.to_port == 443])
    error_message = "What goes out to the world goes by HTTPS."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0
    error_message = "A first run pays for no interface endpoints."
  }

  assert {
    condition     = keys(aws_vpc_endpoint.gateway) == ["dynamodb", "s3"]
    error_message = "DynamoDB and S3 are reached by gateways, which cost nothing."
  }

  assert {
    condition     = alltrue([for key in aws_kms_key.this : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "Keys are renewed, and go slowly."
  }

  assert {
    condition     = alltrue([for block in aws_s3_bucket_public_access_block.logs : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "No bucket can be made public."
  }

  assert {
    condition     = length(aws_s3_bucket_logging.logs) == length(aws_s3_bucket.logs) - 1
    error_message = "Who reads a bucket is logged, but for the bucket of those logs."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.logs : startswith(bucket.bucket, "text2sql-dev-") && endswith(bucket.bucket, "-123456789012-region-1")])
    error_message = "A bucket's name is the deployment's, and one of its own in the world."
  }

  assert {
    condition     = length(aws_sns_topic_subscription.alarms) == 0
    error_message = "Nobody is told before somebody is named."
  }
}

run "production" {
  command = plan

  variables {
    stage              = "prod"
    nat_gateway_per_az = true
    certificate_arn    = "arn:aws:acm:region-1:123456789012:certificate/1"
    alarm_emails       = ["on-call@example.com"]
    log_retention_days = 365
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 8 && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "Services of AWS are reached inside the network by their own names."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_eip.nat) == 3
    error_message = "Each zone has a NAT gateway of its own."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.anywhere) == 4
    error_message = "With a certificate the load balancers take 443, too."
  }

  assert {
    condition     = aws_sns_topic_subscription.alarms["on-call@example.com"].protocol == "email"
    error_message = "Who is named is told by e-mail."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flows.retention_in_days == 365
    error_message = "Logs are kept as long as is said."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket_lifecycle_configuration.logs : bucket.rule[0].expiration[0].days == 365])
    error_message = "Objects of logs are kept as long as is said."
  }

  assert {
    condition     = startswith(aws_sns_topic.alarms.name, "text2sql-prod-")
    error_message = "What is made bears the stage's name."
  }
}

run "zones_that_are_named" {
  command = plan

  variables {
    azs = ["zone-d", "zone-b", "zone-c"]
  }

  assert {
    condition     = aws_subnet.public["zone-d"].cidr_block == "10.0.1.0/24"
    error_message = "The first addresses are the first zone's."
  }
}

run "too_few_zones" {
  command = plan

  variables {
    azs = ["zone-a", "zone-b"]
  }

  expect_failures = [var.azs]
}

run "stage_that_is_none" {
  command = plan

  variables {
    stage = "test"
  }

  expect_failures = [var.stage]
}

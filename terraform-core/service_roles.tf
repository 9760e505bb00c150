# What the services may do: ECS for them before they run, and they themselves.

locals {
  # By the names that CloudFormation gives, where nobody has told the very ones.
  jobs_table       = lookup(var.api_environment, "TEXT2SQL_API_JOBS_TABLE", "${local.name}-Jobs-*")
  results_bucket   = lookup(var.api_environment, "TEXT2SQL_API_RESULTS_BUCKET", "${local.name}-results-*")
  knowledge_bucket = lookup(var.api_environment, "TEXT2SQL_KNOWLEDGE_BUCKET", "${local.name}-knowledge-*")

  assume_for_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForTasks"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:*" }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })

  # A bucket of that name in another account is none of ours.
  own_account = { StringEquals = { "aws:ResourceAccount" = local.account_id } }

  task_statements = {
    frontend = []
    backend = [
      {
        Sid    = "StartRuns"
        Effect = "Allow"
        Action = "states:StartExecution"
        Resource = [
          "${local.states_arn}:stateMachine:${local.jobs_machine}",
          "${local.states_arn}:stateMachine:${local.jobs_machine_now}",
        ]
      },
      {
        Sid      = "SeeThatRunsCanStart"
        Effect   = "Allow"
        Action   = "states:DescribeStateMachine"
        Resource = "${local.states_arn}:stateMachine:${local.jobs_machine}"
      },
      {
        Sid      = "FollowAndStopRuns"
        Effect   = "Allow"
        Action   = ["states:DescribeExecution", "states:StopExecution"]
        Resource = "${local.states_arn}:execution:${local.jobs_machine}:*"
      },
      {
        Sid      = "KeepJobs"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        Resource = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/${local.jobs_table}"
      },
      {
        Sid      = "ListJobs"
        Effect   = "Allow"
        Action   = "dynamodb:Query"
        Resource = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/${local.jobs_table}/index/*"
      },
      {
        Sid       = "KeepResults"
        Effect    = "Allow"
        Action    = ["s3:GetObject", "s3:PutObject"]
        Resource  = "arn:${local.partition}:s3:::${local.results_bucket}/*"
        Condition = local.own_account
      },
      {
        Sid       = "ReadKnowledge"
        Effect    = "Allow"
        Action    = "s3:GetObject"
        Resource  = "arn:${local.partition}:s3:::${local.knowledge_bucket}/*"
        Condition = local.own_account
      },
      {
        Sid       = "ChangeDocuments"
        Effect    = "Allow"
        Action    = ["s3:DeleteObject", "s3:PutObject"]
        Resource  = "arn:${local.partition}:s3:::${local.knowledge_bucket}/documents/*"
        Condition = local.own_account
      },
      {
        # Without it S3 says of what is not there that it may not be read.
        Sid    = "SeeWhatIsMissing"
        Effect = "Allow"
        Action = "s3:ListBucket"
        Resource = [
          "arn:${local.partition}:s3:::${local.results_bucket}",
          "arn:${local.partition}:s3:::${local.knowledge_bucket}",
        ]
        Condition = local.own_account
      },
    ]
  }
  command_statements = [for statement in [
    {
      Sid    = "OpenShells" # these actions know no resources
      Effect = "Allow"
      Action = [
        "logs:DescribeLogGroups",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      Resource = "*"
    },
    {
      Sid      = "LogShells"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.commands.arn}:*"
    },
    {
      Sid      = "EncryptShells"
      Effect   = "Allow"
      Action   = "kms:Decrypt"
      Resource = aws_kms_key.this["logs"].arn
    },
  ] : statement if var.execute_command]
}

resource "aws_iam_role" "task" {
  for_each = local.services

  name               = "${local.iam_name}-${each.key}-task"
  description        = "What the containers of the ${each.key} may do."
  assume_role_policy = local.assume_for_tasks
}

resource "aws_iam_role_policy" "task" {
  for_each = local.services

  name = "work"
  role = aws_iam_role.task[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "HandOnLogs"
        Effect   = "Allow"
        Action   = "firehose:PutRecordBatch"
        Resource = aws_kinesis_firehose_delivery_stream.containers[each.key].arn
      }],
      local.task_statements[each.key],
      local.command_statements,
    )
  })
}

resource "aws_iam_role" "execution" {
  for_each = local.services

  name               = "${local.iam_name}-${each.key}-execution"
  description        = "Lets ECS fetch the images and secrets of the ${each.key}, and log."
  assume_role_policy = local.assume_for_tasks
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.services

  name = "start"
  role = aws_iam_role.execution[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "LogInToRegistry"
          Effect   = "Allow"
          Action   = "ecr:GetAuthorizationToken"
          Resource = "*" # the action knows no resource
        },
        {
          Sid      = "FetchImages"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = local.fetched_from[each.key]
        },
        {
          Sid      = "LogRouting"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${aws_cloudwatch_log_group.containers.arn}:log-stream:${each.key}/*"
        },
      ],
      [for statement in [
        {
          Sid      = "ReadSecrets"
          Effect   = "Allow"
          Action   = "secretsmanager:GetSecretValue"
          Resource = values(each.value.secrets)
        },
        {
          Sid       = "DecryptSecrets"
          Effect    = "Allow"
          Action    = "kms:Decrypt"
          Resource  = "arn:${local.partition}:kms:${local.region}:${local.account_id}:key/*"
          Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com", "kms:EncryptionContext:SecretARN" = values(each.value.secrets) } }
        },
      ] : statement if length(each.value.secrets) > 0],
      [for arns in [values(each.value.parameters)] : {
        Sid      = "ReadStack"
        Effect   = "Allow"
        Action   = "ssm:GetParameters"
        Resource = arns
      } if length(arns) > 0],
    )
  })
}

locals {
  # A repository of ECR is <account>.dkr.ecr.<Region>.<suffix>/<name>; any other needs no rights of ours.
  ecr_address = "^(\\d+)\\.dkr\\.ecr\\.([a-z0-9-]+)\\.[^/]+/([^:@]+)"
  fetched_from = {
    for name in keys(local.balancers) : name => concat(
      [aws_ecr_repository.this[name].arn],
      [
        for address in compact([lookup(var.image_repositories, name, ""), var.log_router_image]) :
        "arn:${local.partition}:ecr:${regex(local.ecr_address, address)[1]}:${regex(local.ecr_address, address)[0]}:repository/${regex(local.ecr_address, address)[2]}"
        if can(regex(local.ecr_address, address))
      ],
    )
  }
}

# What the alarms and the dashboard look at, by the names that CloudWatch knows it by.

locals {
  watched = {
    cluster   = local.name
    services  = { frontend = "${local.name}-frontend", backend = "${local.name}-backend" }
    databases = { primary = local.name }
    replicas  = {} # { replica = its identifier }, where the database has one
    # The keys are those of the services. An ARN's suffix is known to the resource alone.
    load_balancers = {} # { frontend = aws_lb.this["frontend"].arn_suffix, … }
    target_groups  = {} # { frontend = aws_lb_target_group.this["frontend"].arn_suffix, … }
    # The names are template.yaml's.
    state_machines = {
      for machine in ["answer-question", "answer-question-now", "sync-knowledge"] :
      machine => "arn:${local.partition}:states:${local.region}:${local.account_id}:stateMachine:${local.name}-${machine}"
    }
    steps = ["CheckQuestion", "RewriteQuestion", "RetrieveContext", "GenerateSql", "ValidateSql", "ExecuteSql", "ComposeAnswer"]
    syncs = ["StartSync", "SyncDocuments", "SyncSchema", "CheckIngestion", "RecordSync"]
  }
}

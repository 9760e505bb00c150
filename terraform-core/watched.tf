# What the alarms and the dashboard look at, by the names that CloudWatch knows it by.

locals {
  watched = {
    cluster   = local.name
    services  = { frontend = "${local.name}-frontend", backend = "${local.name}-backend" }
    databases = { primary = local.name }
    replicas = merge(
      { for replica in aws_db_instance.replica : "replica" => replica.identifier },
      local.is_follower ? { primary = local.name } : {},
    )
    # The keys are those of the services.
    load_balancers = { for name, balancer in aws_lb.this : name => balancer.arn_suffix }
    target_groups  = { for name, group in aws_lb_target_group.this : name => group.arn_suffix }
    # The names are template.yaml's.
    state_machines = {
      for machine in ["answer-question", "answer-question-now", "sync-knowledge"] :
      machine => "arn:${local.partition}:states:${local.region}:${local.account_id}:stateMachine:${local.name}-${machine}"
    }
    steps = ["CheckQuestion", "RewriteQuestion", "RetrieveContext", "GenerateSql", "ValidateSql", "ExecuteSql", "ComposeAnswer"]
    syncs = ["StartSync", "SyncDocuments", "SyncSchema", "CheckIngestion", "RecordSync"]
  }
}

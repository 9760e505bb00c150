# What every other file calls things.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

data "aws_availability_zones" "this" {
  # checkov:skip=CKV_AWS_394:where another zone must never take the place of one of the three, azs names them
  state = "available"
}

locals {
  name = "text2sql-${var.stage}"
  # What IAM knows is the account's, for all Regions.
  iam_name   = "${local.name}-${local.region}"
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.region
  azs        = coalesce(var.azs, slice(data.aws_availability_zones.this.names, 0, 3))
}

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.69"
    }
  }
}

# The account and the Region are those that Terraform is run with.
provider "aws" {
  default_tags {
    tags = var.tags
  }
}

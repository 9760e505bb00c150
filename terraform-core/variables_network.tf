variable "azs" {
  description = "The availability zones, three of the Region; without them, the first three that are available."
  type        = list(string)
  default     = null

  validation {
    condition     = var.azs == null || length(distinct(coalesce(var.azs, []))) == 3
    error_message = "azs must name three different availability zones."
  }
}

variable "vpc_cidr" {
  description = "The network's addresses, a /16."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && endswith(var.vpc_cidr, "/16")
    error_message = "vpc_cidr must be a /16 such as 10.0.0.0/16."
  }
}

variable "public_subnets" {
  description = "The addresses of the subnets of the load balancers and NAT gateways, one for each zone."
  type        = list(string)
  default     = ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]
  nullable    = false

  validation {
    condition     = length(var.public_subnets) == 3 && alltrue([for cidr in var.public_subnets : can(cidrhost(cidr, 0))])
    error_message = "public_subnets must be three CIDR blocks."
  }
}

variable "private_subnets" {
  description = "The addresses of the subnets of the containers and functions, one for each zone."
  type        = list(string)
  default     = ["10.0.11.0/24", "10.0.12.0/24", "10.0.13.0/24"]
  nullable    = false

  validation {
    condition     = length(var.private_subnets) == 3 && alltrue([for cidr in var.private_subnets : can(cidrhost(cidr, 0))])
    error_message = "private_subnets must be three CIDR blocks."
  }
}

variable "database_subnets" {
  description = "The addresses of the database's subnets, one for each zone; they have no way out."
  type        = list(string)
  default     = ["10.0.21.0/24", "10.0.22.0/24", "10.0.23.0/24"]
  nullable    = false

  validation {
    condition     = length(var.database_subnets) == 3 && alltrue([for cidr in var.database_subnets : can(cidrhost(cidr, 0))])
    error_message = "database_subnets must be three CIDR blocks."
  }
}

variable "nat_gateway_per_az" {
  description = "Whether each zone has a NAT gateway of its own, so that the loss of one zone cuts off no other."
  type        = bool
  default     = false
  nullable    = false
}

variable "interface_endpoints" {
  description = "Whether AWS services are reached inside the network, which costs by the hour, and not by NAT; without it, in prod alone."
  type        = bool
  default     = null
}

variable "log_retention_days" {
  description = "How long logs are kept, in days; of objects, after 30 of them at lower cost."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days must be 60, 90, 120, 150, 180, 365, 400, 545 or 731, which CloudWatch Logs takes."
  }
}

variable "certificate_arn" {
  description = "The ARN of the certificate in ACM for both load balancers; without it they speak plain HTTP on port 80, which is for a trial alone."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:[^:]+:acm:[^:]+:\\d{12}:certificate/.+$", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate, arn:aws:acm:<Region>:<account>:certificate/<id>."
  }
}

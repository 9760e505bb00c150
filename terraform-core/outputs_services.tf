output "frontend_url" {
  description = "Where the page is."
  value       = local.urls.frontend
}

output "backend_url" {
  description = "Where the API is, for those who do not go through the gateway."
  value       = local.urls.backend
}

output "database_primary" {
  description = "What a second Region's stack takes as database_primary; nothing where recovery_region copies no secrets."
  value = var.recovery_region == null ? null : {
    arn               = aws_db_instance.this.arn
    admin_secret_arn  = local.admin_secret_arn
    reader_secret_arn = local.reader_secret_arn
  }
}

output "database_is_follower" {
  description = "Whether the database follows that of another Region, whose accounts it has."
  value       = local.is_follower
}

output "api_server_name" {
  description = "The name in the certificate of the API's listener, template.yaml's ApiServerName; empty where it has none."
  value       = local.has_certificate ? coalesce(var.backend_domain, aws_lb.this["backend"].dns_name) : ""
}

output "page_origin" {
  description = "The page's origin as browsers write it, for template.yaml's AllowedOrigins."
  value       = lower(local.urls.frontend)
}

output "load_balancer_names" {
  description = "The load balancers' own names, for records that are made elsewhere."
  value       = { for name, balancer in aws_lb.this : name => balancer.dns_name }
}

output "image_repositories" {
  description = "Where images are pushed to."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "image_tags" {
  description = "The tags that the services run."
  value       = var.image_tags
}

output "cluster_name" {
  description = "The cluster of the services frontend and backend."
  value       = aws_ecs_cluster.this.name
}

output "web_acl_arn" {
  description = "The firewall, for the gateway or another load balancer."
  value       = aws_wafv2_web_acl.this.arn
}

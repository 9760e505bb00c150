# Who may sign in: people by e-mail, with a password or by their organization; programs as themselves.

locals {
  contract_identity = {
    token-issuer     = local.token_issuer
    token-client-ids = join(",", local.token_client_ids)
  }
  token_issuer = "https://cognito-idp.${local.region}.amazonaws.com/${aws_cognito_user_pool.this.id}"
  token_client_ids = concat(
    [aws_cognito_user_pool_client.page.id],
    [for client in aws_cognito_user_pool_client.machine : client.id],
    var.other_client_ids,
  )
  is_user_pool_protected = coalesce(var.user_pool_deletion_protection, var.stage == "prod") && !var.destroyable
  has_threat_protection  = var.threat_protection != "OFF"

  # Cognito takes plain HTTP from localhost alone; of a page without a certificate it takes no callback.
  page_origins = concat(
    local.has_certificate || var.stage == "prod" ? ["https://${coalesce(var.frontend_domain, aws_lb.this["frontend"].dns_name)}"] : [],
    var.stage == "dev" ? ["http://localhost:3000"] : [],
  )

  # Where a provider says the e-mail address, if nothing else is told.
  email_claims = {
    OIDC = { email = "email" }
    SAML = { email = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress" }
  }
  attribute_mappings = {
    for name, provider in var.identity_providers : name => coalesce(provider.attribute_mapping, local.email_claims[provider.type])
  }
}

resource "aws_cognito_user_pool" "this" {
  name                = local.name
  user_pool_tier      = local.has_threat_protection ? "PLUS" : "ESSENTIALS"
  deletion_protection = local.is_user_pool_protected ? "ACTIVE" : "INACTIVE"

  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = var.mfa

  username_configuration {
    case_sensitive = false
  }

  admin_create_user_config {
    allow_admin_create_user_only = var.admin_creates_users
  }

  password_policy {
    minimum_length                   = var.password_min_length
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 7
  }

  # A password is got back by the verified address alone, and a new address counts once it is verified.
  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email"]
  }

  verification_message_template {
    default_email_option = "CONFIRM_WITH_CODE"
  }

  user_pool_add_ons {
    advanced_security_mode = var.threat_protection
  }

  dynamic "software_token_mfa_configuration" {
    for_each = var.mfa == "OFF" ? [] : [1]

    content {
      enabled = true
    }
  }

  dynamic "email_configuration" {
    for_each = var.sign_in_email == null ? [] : [var.sign_in_email]
    iterator = sender

    content {
      email_sending_account = "DEVELOPER"
      from_email_address    = sender.value.from
      source_arn            = sender.value.identity_arn
    }
  }

  dynamic "schema" {
    for_each = var.user_attributes
    iterator = attribute

    content {
      name                     = attribute.value
      attribute_data_type      = "String"
      developer_only_attribute = false
      mutable                  = true
      required                 = false

      string_attribute_constraints {
        min_length = "0"
        max_length = "2048"
      }
    }
  }
}

resource "aws_cognito_risk_configuration" "this" {
  count = var.threat_protection == "ENFORCED" ? 1 : 0

  user_pool_id = aws_cognito_user_pool.this.id

  compromised_credentials_risk_configuration {
    event_filter = ["PASSWORD_CHANGE", "SIGN_IN", "SIGN_UP"]

    actions {
      event_action = "BLOCK"
    }
  }

  account_takeover_risk_configuration {
    actions {
      low_action {
        event_action = "NO_ACTION"
        notify       = false
      }

      medium_action {
        event_action = "MFA_IF_CONFIGURED"
        notify       = false
      }

      high_action {
        event_action = "BLOCK"
        notify       = false
      }
    }
  }
}

# ── the page ─────────────────────────────────────────────────────────────────────────────────────

resource "aws_cognito_user_pool_domain" "this" {
  domain                = coalesce(var.sign_in_domain_prefix, "${local.name}-${local.account_id}")
  user_pool_id          = aws_cognito_user_pool.this.id
  managed_login_version = 1 # the newer page shows nothing without a branding style
}

# A browser keeps no secret: a code is worth nothing without the verifier of PKCE, which the page makes for each sign-in.
resource "aws_cognito_user_pool_client" "page" {
  name            = "${local.name}-page"
  user_pool_id    = aws_cognito_user_pool.this.id
  generate_secret = false

  # The implicit flow is deprecated (RFC 9700): tokens in a URL leak by the browser's history and by referrers.
  allowed_oauth_flows                  = concat(["code"], var.implicit_flow ? ["implicit"] : [])
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = ["email", "openid"]
  callback_urls                        = coalesce(var.callback_urls, [for origin in local.page_origins : "${origin}/auth/callback"])
  logout_urls                          = coalesce(var.logout_urls, [for origin in local.page_origins : "${origin}/"])
  supported_identity_providers         = concat(["COGNITO"], [for provider in aws_cognito_identity_provider.this : provider.provider_name])

  # No password goes to the API of Cognito itself: sign-ins pass its page.
  explicit_auth_flows           = ["ALLOW_REFRESH_TOKEN_AUTH"]
  enable_token_revocation       = true
  prevent_user_existence_errors = "ENABLED"

  access_token_validity  = var.token_minutes
  id_token_validity      = var.token_minutes
  refresh_token_validity = var.refresh_token_days

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }

  # An organization's attributes are written in this client's name. People write none: that takes a scope which it has not.
  read_attributes  = concat(["email", "email_verified"], [for name in var.user_attributes : "custom:${name}"])
  write_attributes = setsubtract(concat(["email"], flatten([for mapping in values(local.attribute_mappings) : keys(mapping)])), ["username"])

}

# ── groups and organizations ─────────────────────────────────────────────────────────────────────

resource "aws_cognito_user_group" "this" {
  for_each = var.user_groups

  name         = each.key
  description  = each.value
  user_pool_id = aws_cognito_user_pool.this.id
}

resource "aws_cognito_identity_provider" "this" {
  for_each = var.identity_providers

  user_pool_id      = aws_cognito_user_pool.this.id
  provider_name     = each.key
  provider_type     = each.value.type
  provider_details  = merge(each.value.details, try({ client_secret = var.identity_provider_secrets[each.key] }, {}))
  attribute_mapping = local.attribute_mappings[each.key]
  idp_identifiers   = each.value.identifiers
}

# ── programs ─────────────────────────────────────────────────────────────────────────────────────

# What a program may do, and as whom it asks; the API reads these scopes behind TEXT2SQL_API_SCOPE_PREFIX.
resource "aws_cognito_resource_server" "this" {
  identifier   = "text2sql"
  name         = "text2sql"
  user_pool_id = aws_cognito_user_pool.this.id

  scope {
    scope_name        = "ask"
    scope_description = "Ask questions"
  }

  scope {
    scope_name        = "metrics"
    scope_description = "Read the metrics"
  }

  dynamic "scope" {
    for_each = var.user_groups
    iterator = group

    content {
      scope_name        = "group.${group.key}"
      scope_description = "Ask as a member of ${group.key}"
    }
  }
}

resource "aws_cognito_user_pool_client" "machine" {
  for_each = var.machine_clients

  name            = "${local.name}-machine-${each.key}"
  user_pool_id    = aws_cognito_user_pool.this.id
  generate_secret = true

  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = [for scope in each.value : "${aws_cognito_resource_server.this.identifier}/${scope}"]
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"] # without a word Cognito adds sign-ins with a password
  enable_token_revocation              = true
  prevent_user_existence_errors        = "ENABLED"
  access_token_validity                = var.token_minutes

  token_validity_units {
    access_token = "minutes"
  }

  # The scopes must be there before a client can have them.
  depends_on = [aws_cognito_resource_server.this]
}

# ── what Cognito could not send, and with threat protection who signed in ────────────────────────

resource "aws_cloudwatch_log_group" "sign_in" {
  # checkov:skip=CKV_AWS_338:how long logs are kept is the operator's to say, by log_retention_days
  name              = "/aws/vendedlogs/${local.name}/sign-in"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this["logs"].arn
}

resource "aws_cognito_log_delivery_configuration" "this" {
  user_pool_id = aws_cognito_user_pool.this.id

  log_configurations {
    event_source = "userNotification"
    log_level    = "ERROR"

    cloud_watch_logs_configuration {
      log_group_arn = aws_cloudwatch_log_group.sign_in.arn
    }
  }

  dynamic "log_configurations" {
    for_each = local.has_threat_protection ? [1] : []

    content {
      event_source = "userAuthEvents"
      log_level    = "INFO"

      cloud_watch_logs_configuration {
        log_group_arn = aws_cloudwatch_log_group.sign_in.arn
      }
    }
  }
}

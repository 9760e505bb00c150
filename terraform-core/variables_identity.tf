variable "user_pool_deletion_protection" {
  description = "Whether the user pool refuses to be deleted; without a word, it does in prod."
  type        = bool
  default     = null
}

variable "admin_creates_users" {
  description = "Whether administrators alone make users; otherwise anybody with an e-mail address may sign up."
  type        = bool
  default     = true
  nullable    = false
}

variable "password_min_length" {
  description = "The least length of a password; it also has an upper-case and a lower-case letter, a digit and a symbol."
  type        = number
  default     = 12
  nullable    = false

  validation {
    condition     = var.password_min_length >= 8 && var.password_min_length <= 99 && floor(var.password_min_length) == var.password_min_length
    error_message = "password_min_length must be a whole number from 8 to 99."
  }
}

variable "mfa" {
  description = "Whether a second factor, an authenticator's code, is asked for: OFF, OPTIONAL (of those who set one up) or ON."
  type        = string
  default     = "OPTIONAL"
  nullable    = false

  validation {
    condition     = contains(["OFF", "OPTIONAL", "ON"], var.mfa)
    error_message = "mfa must be OFF, OPTIONAL or ON."
  }
}

variable "threat_protection" {
  description = "What Cognito does about stolen passwords and odd sign-ins: OFF, AUDIT (note them) or ENFORCED (stop them); the last two need Cognito's Plus plan, which costs for each user."
  type        = string
  default     = "OFF"
  nullable    = false

  validation {
    condition     = contains(["OFF", "AUDIT", "ENFORCED"], var.threat_protection)
    error_message = "threat_protection must be OFF, AUDIT or ENFORCED."
  }
}

variable "sign_in_email" {
  description = "Who sends Cognito's e-mails: an address, and the ARN of its identity in SES; without it Cognito does, at most 50 a day."
  type        = object({ from = string, identity_arn = string })
  default     = null

  validation {
    condition     = var.sign_in_email == null || can(regex("^arn:[^:]+:ses:[^:]+:\\d{12}:identity/.+$", var.sign_in_email.identity_arn))
    error_message = "sign_in_email must have an identity_arn such as arn:aws:ses:<Region>:<account>:identity/<domain>."
  }
}

variable "sign_in_domain_prefix" {
  description = "What the address of the sign-in page begins with, unique in its Region; without it, text2sql-<stage>-<account>."
  type        = string
  default     = null

  validation {
    condition     = var.sign_in_domain_prefix == null || can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.sign_in_domain_prefix)) && !can(regex("aws|amazon|cognito", var.sign_in_domain_prefix))
    error_message = "sign_in_domain_prefix must be lower-case letters, digits and -, without aws, amazon and cognito."
  }
}

variable "callback_urls" {
  description = "Where the page is sent back to after a sign-in; without it /auth/callback of the page, and in dev of http://localhost:3000 too."
  type        = list(string)
  default     = null

  validation {
    condition     = length(coalesce(var.callback_urls, ["default"])) > 0
    error_message = "callback_urls must name a URL."
  }

  validation {
    condition     = alltrue([for url in coalesce(var.callback_urls, []) : can(regex("^https://[^/#]+(/[^#]*)?$", url)) || var.stage == "dev" && can(regex("^http://localhost(:\\d+)?(/[^#]*)?$", url))])
    error_message = "callback_urls must begin with https://, in dev http://localhost too, and have no fragment."
  }
}

variable "logout_urls" {
  description = "Where the page is sent back to after a sign-out; without it the page's root, and in dev that of http://localhost:3000 too."
  type        = list(string)
  default     = null

  validation {
    condition     = alltrue([for url in coalesce(var.logout_urls, []) : can(regex("^https://[^/#]+(/[^#]*)?$", url)) || var.stage == "dev" && can(regex("^http://localhost(:\\d+)?(/[^#]*)?$", url))])
    error_message = "logout_urls must begin with https://, in dev http://localhost too, and have no fragment."
  }
}

variable "implicit_flow" {
  description = "Whether the page may be given tokens in its URL, OAuth's implicit flow; deprecated, for they leak by history and referrers."
  type        = bool
  default     = false
  nullable    = false
}

variable "token_minutes" {
  description = "How long access and id tokens are valid."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.token_minutes >= 5 && var.token_minutes <= 1440 && floor(var.token_minutes) == var.token_minutes
    error_message = "token_minutes must be a whole number from 5 to 1440."
  }
}

variable "refresh_token_days" {
  description = "How long a person stays signed in without a password."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.refresh_token_days >= 1 && var.refresh_token_days <= 3650 && floor(var.refresh_token_days) == var.refresh_token_days
    error_message = "refresh_token_days must be a whole number from 1 to 3650."
  }
}

variable "user_groups" {
  description = "The groups of people, from name to description: admin and editor, which the API knows, and those of the access policy."
  type        = map(string)
  default     = { admin = "See everybody's questions and the metrics, and change documents", editor = "Change documents" }
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.user_groups) : can(regex("^[\\w.+-]{1,100}$", name))])
    error_message = "user_groups must have names of 1 to 100 letters, digits and ._+-."
  }

  validation {
    condition     = length(var.user_groups) <= 98
    error_message = "user_groups may be 98 at most: each is a scope of machine clients, which Cognito allows 100 of."
  }
}

variable "user_attributes" {
  description = "Attributes of people that the access policy asks for, text; id tokens hold them as custom:<name>, and none can be removed or renamed."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.user_attributes : can(regex("^[a-z][a-z0-9_]{0,19}$", name))])
    error_message = "user_attributes must be names of 1 to 20 lower-case letters, digits and _."
  }
}

variable "machine_clients" {
  description = "Programs that sign in as themselves, from name to the scopes they have: ask, metrics, group.<name>; the state then holds their secrets."
  type        = map(set(string))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.machine_clients) : can(regex("^[\\w-]{1,64}$", name))])
    error_message = "machine_clients must have names of 1 to 64 letters, digits, _ and -."
  }

  validation {
    condition     = alltrue([for scopes in values(var.machine_clients) : length(scopes) > 0 && length(setsubtract(scopes, concat(["ask", "metrics"], [for group in keys(var.user_groups) : "group.${group}"]))) == 0])
    error_message = "machine_clients must have scopes, of ask, metrics and group.<name> for each of user_groups."
  }
}

variable "other_client_ids" {
  description = "Clients of the user pool that are made elsewhere and whose tokens are taken, such as a program's whose secret shall be in no state."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.other_client_ids : can(regex("^[\\w+]{1,128}$", id))])
    error_message = "other_client_ids must be ids of app clients."
  }
}

variable "identity_providers" {
  description = "Organizations whose people may sign in, from name to type (SAML or OIDC) and Cognito's provider_details; without attribute_mapping, the e-mail address alone is taken over."
  type        = map(object({ type = string, details = map(string), attribute_mapping = optional(map(string)), identifiers = optional(list(string), []) }))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.identity_providers) : can(regex("^[A-Za-z0-9-]{3,32}$", name)) && lower(name) != "cognito"])
    error_message = "identity_providers must have names of 3 to 32 letters, digits and -, other than COGNITO."
  }

  validation {
    condition     = alltrue([for provider in values(var.identity_providers) : contains(["SAML", "OIDC"], provider.type)])
    error_message = "identity_providers must be of type SAML or OIDC."
  }

  validation {
    condition     = alltrue([for provider in values(var.identity_providers) : provider.type != "SAML" || length(setintersection(keys(provider.details), ["MetadataFile", "MetadataURL"])) == 1])
    error_message = "identity_providers of SAML must have MetadataURL or MetadataFile in details."
  }

  validation {
    condition     = alltrue([for provider in values(var.identity_providers) : provider.type != "OIDC" || length(setsubtract(["attributes_request_method", "authorize_scopes", "client_id", "oidc_issuer"], keys(provider.details))) == 0])
    error_message = "identity_providers of OIDC must have attributes_request_method, authorize_scopes, client_id and oidc_issuer in details."
  }

  validation {
    condition     = alltrue([for provider in values(var.identity_providers) : !contains(keys(provider.details), "client_secret")])
    error_message = "identity_providers take no client_secret: that is for identity_provider_secrets."
  }

  validation {
    condition     = alltrue([for provider in values(var.identity_providers) : provider.attribute_mapping == null || contains(keys(coalesce(provider.attribute_mapping, {})), "email")])
    error_message = "identity_providers must map email in attribute_mapping."
  }
}

variable "identity_provider_secrets" {
  description = "The client secrets of providers of OIDC, by their names; the state holds them, for the provider has no write-only argument for it."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true

  validation {
    condition     = length(setsubtract(keys(var.identity_provider_secrets), keys(var.identity_providers))) == 0
    error_message = "identity_provider_secrets must be of identity_providers."
  }
}

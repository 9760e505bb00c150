# The model that writes SQL, and the ARNs that it may be called by.
# Whether the account may call it at all is said in Bedrock's console, not here.

locals {
  contract_model = {
    model-provider = "bedrock" # the functions hold no embedded model, and are told of no other server
    model-name     = var.model_name
    model-arns     = join(",", local.model_arns)
  }
  bedrock_arn = "arn:${local.partition}:bedrock"

  # "global." or "eu.", or nothing before the model's own name.
  model_scope = try(regex("^([a-z-]+)\\.anthropic\\.", var.model_name)[0], "")
  model_id    = trimprefix(var.model_name, "${local.model_scope}.")

  # A profile calls the model where it has room: a geographic one in its Regions, a global one in no named Region.
  model_places = {
    ""     = [local.region]
    global = [local.region, ""]
  }
  model_arns = length(var.model_arns) > 0 ? var.model_arns : concat(
    local.model_scope == "" ? [] : ["${local.bedrock_arn}:${local.region}:${local.account_id}:inference-profile/${var.model_name}"],
    [
      for place in lookup(local.model_places, local.model_scope, length(var.model_regions) > 0 ? var.model_regions : ["*"]) :
      "${local.bedrock_arn}:${place}::foundation-model/${local.model_id}"
    ],
  )
  model_profiles = [for arn in local.model_arns : arn if can(regex("inference-profile/", arn))]
}

# The guardrail's policy, read of the file that text2sql reads too (src/text2sql/guardrail/policy.py).
# tests/infra holds both readers to the same understanding.

locals {
  guardrail_file = yamldecode(file(var.guardrail_file))

  # The file with what holds where it is silent.
  guardrail = {
    messages = merge(
      { input = "This question was stopped.", output = "This text was held back." },
      lookup(local.guardrail_file, "messages", {}),
    )
    content = {
      for kind, filter in lookup(local.guardrail_file, "content", {}) :
      kind => merge({ input = "none", output = "none" }, filter)
    }
    words = merge(
      { managed = [], own = [], input = "block", output = "allow" },
      lookup(local.guardrail_file, "words", {}),
    )
    topics = [
      for topic in lookup(local.guardrail_file, "topics", []) :
      merge({ examples = [], input = "block", output = "allow" }, topic)
    ]
    personal = {
      for kind, handling in lookup(local.guardrail_file, "personal", {}) :
      kind => merge({ input = "allow", output = "allow" }, handling)
    }
    patterns = [
      for pattern in lookup(local.guardrail_file, "patterns", []) :
      merge({ description = "", input = "allow", output = "allow" }, pattern)
    ]
  }

  # Each entry that has directions, with its keys and with the words for what is done.
  guardrail_entries = concat(
    [{
      place = "words", entry = local.guardrail.words
      keys  = ["managed", "own", "input", "output"], words = ["allow", "block"]
    }],
    [for kind, filter in local.guardrail.content : {
      place = "content.${kind}", entry = filter
      keys  = ["input", "output"], words = ["none", "low", "medium", "high"]
    }],
    [for number, topic in local.guardrail.topics : {
      place = "topics.${number}", entry = topic
      keys  = ["name", "definition", "examples", "message", "input", "output"], words = ["allow", "block"]
    }],
    [for kind, handling in local.guardrail.personal : {
      place = "personal.${kind}", entry = handling
      keys  = ["input", "output"], words = ["allow", "mask", "block"]
    }],
    [for number, pattern in local.guardrail.patterns : {
      place = "patterns.${number}", entry = pattern
      keys  = ["name", "description", "pattern", "input", "output"], words = ["allow", "mask", "block"]
    }],
  )

  # What each place holds must be among what it may hold.
  guardrail_vocabulary = concat(
    [
      { place = "the file", holds = keys(local.guardrail_file), may = keys(local.guardrail) },
      { place = "messages", holds = keys(local.guardrail.messages), may = ["input", "output"] },
      { place = "words.managed", holds = local.guardrail.words.managed, may = ["profanity"] },
      {
        place = "content", holds = keys(local.guardrail.content)
        may   = ["hate", "insults", "sexual", "violence", "misconduct", "prompt_attack"]
      },
      {
        place = "personal", holds = keys(local.guardrail.personal)
        may = [
          "ADDRESS", "AGE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CA_HEALTH_NUMBER", "CA_SOCIAL_INSURANCE_NUMBER",
          "CREDIT_DEBIT_CARD_CVV", "CREDIT_DEBIT_CARD_EXPIRY", "CREDIT_DEBIT_CARD_NUMBER", "DRIVER_ID", "EMAIL",
          "INTERNATIONAL_BANK_ACCOUNT_NUMBER", "IP_ADDRESS", "LICENSE_PLATE", "MAC_ADDRESS", "NAME", "PASSWORD",
          "PHONE", "PIN", "SWIFT_CODE", "UK_NATIONAL_HEALTH_SERVICE_NUMBER", "UK_NATIONAL_INSURANCE_NUMBER",
          "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", "URL", "USERNAME", "US_BANK_ACCOUNT_NUMBER",
          "US_BANK_ROUTING_NUMBER", "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", "US_PASSPORT_NUMBER",
          "US_SOCIAL_SECURITY_NUMBER", "VEHICLE_IDENTIFICATION_NUMBER",
        ]
      },
    ],
    [for each in local.guardrail_entries : { place = each.place, holds = keys(each.entry), may = each.keys }],
    [for each in local.guardrail_entries : {
      place = each.place, holds = [each.entry.input, each.entry.output], may = each.words
    }],
  )
  guardrail_unknown = [
    for each in local.guardrail_vocabulary :
    "${each.place} knows ${join(", ", each.may)}, but not ${join(", ", setsubtract(each.holds, each.may))}."
    if length(setsubtract(each.holds, each.may)) > 0
  ]

  # text2sql reads all values as text, YAML reads 007 as a number and 2026-01-01 as a time. In the file's JSON
  # without its texts, what is not punctuation is no text; a time is a text in one form.
  guardrail_json = jsonencode(local.guardrail_file)
  guardrail_unquoted = concat(
    regexall("[^][{}:,]+", replace(local.guardrail_json, "/\"(\\\\.|[^\"\\\\])*\"/", "")),
    regexall("\"\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}[^\"]*\"", local.guardrail_json),
  )

  guardrail_names = concat(local.guardrail.topics[*].name, local.guardrail.patterns[*].name)
}

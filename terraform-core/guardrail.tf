# The guardrail behind TEXT2SQL_GUARDRAIL_PROVIDER=bedrock.

locals {
  # What stops or masks something, section by section.
  guardrail_filters = {
    for kind, filter in local.guardrail.content : kind => filter
    if filter.input != "none" || filter.output != "none"
  }
  guardrail_words = {
    for list in ["managed", "own"] : list => [
      for word in local.guardrail.words[list] : word
      if local.guardrail.words.input != "allow" || local.guardrail.words.output != "allow"
    ]
  }
  guardrail_topics = [
    for topic in local.guardrail.topics : topic
    if topic.input != "allow" || topic.output != "allow"
  ]
  guardrail_personal = {
    for kind, handling in local.guardrail.personal : kind => handling
    if handling.input != "allow" || handling.output != "allow"
  }
  guardrail_patterns = [
    for pattern in local.guardrail.patterns : pattern
    if pattern.input != "allow" || pattern.output != "allow"
  ]

  # Bedrock's words for ours.
  guardrail_action = { allow = "NONE", mask = "ANONYMIZE", block = "BLOCK" }
}

resource "aws_bedrock_guardrail" "this" {
  name                      = "text2sql"
  description               = "What may be asked of text2sql, and what it may answer; made of guardrail.yaml."
  blocked_input_messaging   = local.guardrail.messages.input
  blocked_outputs_messaging = local.guardrail.messages.output
  kms_key_arn               = var.guardrail_kms_key_arn

  dynamic "content_policy_config" {
    for_each = length(local.guardrail_filters) > 0 ? [1] : []

    content {
      dynamic "filters_config" {
        for_each = local.guardrail_filters
        iterator = filter

        content {
          type            = upper(filter.key)
          input_strength  = upper(filter.value.input)
          output_strength = upper(filter.value.output)
        }
      }
    }
  }

  dynamic "word_policy_config" {
    for_each = length(flatten(values(local.guardrail_words))) > 0 ? [local.guardrail.words] : []
    iterator = words

    content {
      dynamic "managed_word_lists_config" {
        for_each = local.guardrail_words.managed
        iterator = list

        content {
          type           = upper(list.value)
          input_action   = local.guardrail_action[words.value.input]
          input_enabled  = words.value.input != "allow"
          output_action  = local.guardrail_action[words.value.output]
          output_enabled = words.value.output != "allow"
        }
      }

      dynamic "words_config" {
        for_each = local.guardrail_words.own
        iterator = word

        content {
          text           = word.value
          input_action   = local.guardrail_action[words.value.input]
          input_enabled  = words.value.input != "allow"
          output_action  = local.guardrail_action[words.value.output]
          output_enabled = words.value.output != "allow"
        }
      }
    }
  }

  # The provider knows no directions here: a topic that is denied in one of them is denied in both.
  dynamic "topic_policy_config" {
    for_each = length(local.guardrail_topics) > 0 ? [1] : []

    content {
      dynamic "topics_config" {
        for_each = local.guardrail_topics
        iterator = topic

        content {
          name       = topic.value.name
          definition = topic.value.definition
          examples   = topic.value.examples
          type       = "DENY"
        }
      }
    }
  }

  # `action` is required, and meant for both directions; each of them has its own beside it.
  dynamic "sensitive_information_policy_config" {
    for_each = length(local.guardrail_personal) + length(local.guardrail_patterns) > 0 ? [1] : []

    content {
      dynamic "pii_entities_config" {
        for_each = local.guardrail_personal
        iterator = kind

        content {
          type           = kind.key
          action         = contains([kind.value.input, kind.value.output], "block") ? "BLOCK" : "ANONYMIZE"
          input_action   = local.guardrail_action[kind.value.input]
          input_enabled  = kind.value.input != "allow"
          output_action  = local.guardrail_action[kind.value.output]
          output_enabled = kind.value.output != "allow"
        }
      }

      dynamic "regexes_config" {
        for_each = local.guardrail_patterns
        iterator = pattern

        content {
          name           = pattern.value.name
          description    = pattern.value.description == "" ? null : pattern.value.description
          pattern        = pattern.value.pattern
          action         = contains([pattern.value.input, pattern.value.output], "block") ? "BLOCK" : "ANONYMIZE"
          input_action   = local.guardrail_action[pattern.value.input]
          input_enabled  = pattern.value.input != "allow"
          output_action  = local.guardrail_action[pattern.value.output]
          output_enabled = pattern.value.output != "allow"
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.guardrail_unknown) == 0
      error_message = "${var.guardrail_file}: ${join(" ", local.guardrail_unknown)}"
    }

    precondition {
      condition     = length(local.guardrail_unquoted) == 0
      error_message = "${var.guardrail_file}: leave nothing empty, and put quotes around what YAML reads as ${join(", ", local.guardrail_unquoted)}."
    }

    precondition {
      condition     = try(local.guardrail.content.prompt_attack.output, "none") == "none"
      error_message = "${var.guardrail_file}: a prompt attack is looked for in the input alone."
    }

    precondition {
      condition     = length(local.guardrail_names) == length(distinct(local.guardrail_names))
      error_message = "${var.guardrail_file}: the name of a topic or a pattern stands there twice."
    }

    precondition {
      condition     = alltrue([for pattern in local.guardrail.patterns : can(regexall(pattern.pattern, ""))])
      error_message = "${var.guardrail_file}: a pattern is no regular expression of RE2."
    }

    precondition {
      condition = length(flatten([
        keys(local.guardrail_filters), values(local.guardrail_words), local.guardrail_topics,
        keys(local.guardrail_personal), local.guardrail_patterns,
      ])) > 0
      error_message = "${var.guardrail_file} stops and masks nothing; Amazon Bedrock makes no guardrail of that."
    }
  }
}

# What the functions apply. Old versions stay, for a function applies the one that was there when it was deployed.
resource "aws_bedrock_guardrail_version" "this" {
  guardrail_arn = aws_bedrock_guardrail.this.guardrail_arn
  skip_destroy  = true

  lifecycle {
    replace_triggered_by = [aws_bedrock_guardrail.this]
  }
}

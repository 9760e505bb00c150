# The knowledge base behind TEXT2SQL_DOCUMENTS_PROVIDER=bedrock: sections of documents, on an index of Pinecone.
# It is made in two runs: first its secret, which needs a value, and the bucket of template.yaml; then the rest.

locals {
  contract_knowledge_base = {
    documents-provider  = local.has_knowledge_base ? "bedrock" : "local"
    knowledge-base-id   = local.has_knowledge_base ? aws_bedrockagent_knowledge_base.this[0].id : "none"
    knowledge-source-id = local.has_knowledge_base ? aws_bedrockagent_data_source.sections[0].data_source_id : "none"
    # It stands in policies, which take nothing but an ARN; there is no such knowledge base.
    knowledge-base-arn = local.has_knowledge_base ? aws_bedrockagent_knowledge_base.this[0].arn : "${local.bedrock_arn}:${local.region}:${local.account_id}:knowledge-base/none"
  }
  wants_knowledge_base = var.knowledge_base == "pinecone"
  has_knowledge_base   = local.wants_knowledge_base && var.pinecone_connection_string != null

  embedding_model = "${local.bedrock_arn}:${local.region}::foundation-model/amazon.titan-embed-text-v2:0"
  sections_prefix = "sections/" # where SyncDocuments writes them
}

# Its value, {"apiKey": "…"}, is put there by hand or from Vault, and is in no state.
resource "aws_secretsmanager_secret" "pinecone" {
  # checkov:skip=CKV2_AWS_57:Pinecone has no call that renews a key
  count = local.wants_knowledge_base ? 1 : 0

  name                    = "${local.name}/pinecone"
  description             = "Pinecone's key for the knowledge base, as {\"apiKey\": \"...\"}."
  kms_key_id              = aws_kms_key.this["database"].arn
  recovery_window_in_days = var.destroyable ? 0 : 7
}

resource "aws_iam_role" "knowledge_base" {
  count = local.has_knowledge_base ? 1 : 0

  name        = "${local.iam_name}-knowledge-base"
  description = "Lets the knowledge base read sections, embed them, and keep them at Pinecone."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumeForKnowledgeBases"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "bedrock.amazonaws.com" }
      Condition = {
        ArnLike      = { "aws:SourceArn" = "${local.bedrock_arn}:${local.region}:${local.account_id}:knowledge-base/*" }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })
}

resource "aws_iam_role_policy" "knowledge_base" {
  count = local.has_knowledge_base ? 1 : 0

  name = "keep-sections"
  role = aws_iam_role.knowledge_base[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "EmbedSections"
        Effect   = "Allow"
        Action   = "bedrock:InvokeModel"
        Resource = local.embedding_model
      },
      {
        Sid      = "ListSections"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = "arn:${local.partition}:s3:::${var.knowledge_bucket}"
        Condition = {
          StringEquals = { "aws:ResourceAccount" = local.account_id }
          StringLike   = { "s3:prefix" = "${local.sections_prefix}*" }
        }
      },
      {
        Sid       = "ReadSections"
        Effect    = "Allow"
        Action    = "s3:GetObject"
        Resource  = "arn:${local.partition}:s3:::${var.knowledge_bucket}/${local.sections_prefix}*"
        Condition = local.own_account
      },
      {
        Sid      = "ReadPineconeKey"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = aws_secretsmanager_secret.pinecone[0].arn
      },
      {
        Sid      = "DecryptPineconeKey"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = aws_kms_key.this["database"].arn
        Condition = { StringEquals = {
          "kms:EncryptionContext:SecretARN" = aws_secretsmanager_secret.pinecone[0].arn
          "kms:ViaService"                  = "secretsmanager.${local.region}.amazonaws.com"
        } }
      },
    ]
  })
}

resource "aws_bedrockagent_knowledge_base" "this" {
  count = local.has_knowledge_base ? 1 : 0

  name        = local.name
  description = "Sections of the documents about the database."
  role_arn    = aws_iam_role.knowledge_base[0].arn

  knowledge_base_configuration {
    type = "VECTOR"

    vector_knowledge_base_configuration {
      embedding_model_arn = local.embedding_model

      embedding_model_configuration {
        bedrock_embedding_model_configuration {
          dimensions          = 1024
          embedding_data_type = "FLOAT32"
        }
      }
    }
  }

  storage_configuration {
    type = "PINECONE"

    pinecone_configuration {
      connection_string      = var.pinecone_connection_string
      credentials_secret_arn = aws_secretsmanager_secret.pinecone[0].arn
      namespace              = var.pinecone_namespace

      field_mapping {
        text_field     = var.pinecone_fields.text
        metadata_field = var.pinecone_fields.metadata
      }
    }
  }

  # Bedrock looks at once whether the role may do what it needs.
  depends_on = [aws_iam_role_policy.knowledge_base]
}

# Each object is a section of a document already, so nothing is cut once more.
resource "aws_bedrockagent_data_source" "sections" {
  count = local.has_knowledge_base ? 1 : 0

  name                 = "sections"
  description          = "What SyncDocuments writes of the documents."
  knowledge_base_id    = aws_bedrockagent_knowledge_base.this[0].id
  data_deletion_policy = "DELETE"

  data_source_configuration {
    type = "S3"

    s3_configuration {
      bucket_arn              = "arn:${local.partition}:s3:::${var.knowledge_bucket}"
      bucket_owner_account_id = local.account_id
      inclusion_prefixes      = [local.sections_prefix]
    }
  }

  vector_ingestion_configuration {
    chunking_configuration {
      chunking_strategy = "NONE"
    }
  }
}

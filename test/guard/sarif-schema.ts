const text = { type: 'string', minLength: 1 }

const message = {
  type: 'object',
  required: ['text'],
  additionalProperties: false,
  properties: { text },
}

const level = { enum: ['none', 'note', 'warning', 'error'] }

/**
 * What SARIF 2.1.0 (OASIS, section 3) allows of the objects that a report of ours is made of, and nothing else: every property that
 * the standard requires is required here, and a property that the report begins to use has to be added first.
 */
export const SARIF_SCHEMA: object = {
  type: 'object',
  required: ['version', 'runs'],
  additionalProperties: false,
  properties: {
    $schema: { type: 'string', pattern: '^https://.*sarif-schema-2\\.1\\.0\\.json$' },
    version: { const: '2.1.0' },
    runs: { type: 'array', minItems: 1, items: { $ref: '#/$defs/run' } },
  },
  $defs: {
    run: {
      type: 'object',
      required: ['tool', 'results'],
      additionalProperties: false,
      properties: {
        tool: {
          type: 'object',
          required: ['driver'],
          additionalProperties: false,
          properties: {
            driver: {
              type: 'object',
              required: ['name'],
              additionalProperties: false,
              properties: {
                name: text,
                semanticVersion: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' },
                rules: { type: 'array', uniqueItems: true, items: { $ref: '#/$defs/reportingDescriptor' } },
              },
            },
          },
        },
        properties: { type: 'object' },
        results: { type: 'array', items: { $ref: '#/$defs/result' } },
      },
    },
    reportingDescriptor: {
      type: 'object',
      required: ['id'],
      additionalProperties: false,
      properties: {
        id: text,
        name: text,
        shortDescription: message,
        fullDescription: message,
        help: message,
        defaultConfiguration: { type: 'object', additionalProperties: false, properties: { level } },
      },
    },
    result: {
      type: 'object',
      required: ['message'],
      additionalProperties: false,
      properties: {
        ruleId: text,
        ruleIndex: { type: 'integer', minimum: 0 },
        level,
        message,
        locations: { type: 'array', items: { $ref: '#/$defs/location' } },
        partialFingerprints: { type: 'object', additionalProperties: { type: 'string' } },
        suppressions: {
          type: 'array',
          uniqueItems: true,
          items: {
            type: 'object',
            required: ['kind'],
            additionalProperties: false,
            properties: { kind: { enum: ['inSource', 'external'] }, justification: { type: 'string' } },
          },
        },
      },
    },
    location: {
      type: 'object',
      additionalProperties: false,
      properties: {
        physicalLocation: {
          type: 'object',
          required: ['artifactLocation'],
          additionalProperties: false,
          properties: {
            artifactLocation: {
              type: 'object',
              required: ['uri'],
              additionalProperties: false,
              properties: { uri: { type: 'string', pattern: "^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$" } },
            },
          },
        },
        logicalLocations: {
          type: 'array',
          uniqueItems: true,
          items: {
            type: 'object',
            additionalProperties: false,
            properties: { fullyQualifiedName: text, kind: text },
          },
        },
      },
    },
  },
}

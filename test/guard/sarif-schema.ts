const text = { type: 'string', minLength: 1 }

const message = {
  type: 'object',
  required: ['text'],
  additionalProperties: false,
  properties: { text },
}

const level = { enum: ['none', 'note', 'warning', 'error'] }

/**
 * The part of SARIF 2.1.0 (OASIS, section 3) that is about the objects of our reports. Every property that the standard
 * requires is required here. A property that the report begins to use has to be added first.
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
        invocations: { type: 'array', items: { $ref: '#/$defs/invocation' } },
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
        helpUri: { type: 'string', pattern: '^https://' },
        defaultConfiguration: { type: 'object', additionalProperties: false, properties: { level } },
        properties: {
          type: 'object',
          properties: {
            tags: { type: 'array', uniqueItems: true, items: { type: 'string' } },
            'security-severity': { type: 'string', pattern: '^(10|\\d)\\.\\d$' },
          },
        },
      },
    },
    invocation: {
      type: 'object',
      required: ['executionSuccessful'],
      additionalProperties: false,
      properties: {
        executionSuccessful: { type: 'boolean' },
        toolExecutionNotifications: {
          type: 'array',
          items: {
            type: 'object',
            required: ['message'],
            additionalProperties: false,
            properties: { level, message, locations: { type: 'array', items: { $ref: '#/$defs/location' } } },
          },
        },
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
          required: ['artifactLocation', 'region'],
          additionalProperties: false,
          properties: {
            artifactLocation: {
              type: 'object',
              required: ['uri'],
              additionalProperties: false,
              properties: { uri: { type: 'string', pattern: "^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$" } },
            },
            region: {
              type: 'object',
              required: ['startLine'],
              additionalProperties: false,
              properties: { startLine: { type: 'integer', minimum: 1 }, startColumn: { type: 'integer', minimum: 1 } },
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

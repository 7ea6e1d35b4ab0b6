import { webhookEventTypes } from '../../wire/webhooks.js';
import { conversation, endedGeneration } from './examples.js';
import { refTo } from './json-schemas.js';

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
});

/** What we send: the part `webhooks` of the document. */
export const webhooksSection = () =>
  Object.fromEntries(
    webhookEventTypes.map((type) => {
      const ofGeneration = type.startsWith('generation.');
      const example = { type, timestamp: conversation.updatedAt, data: { generation: endedGeneration } };
      return [
        type,
        {
          post: {
            operationId: `on ${type}`,
            summary: `A ${ofGeneration ? 'generation' : 'document'} has ended`,
            description:
              'Signed after Standard Webhooks. Sent at least once, `webhook-id` being the same each time; without a 2xx ' +
              'again, over hours.',
            security: [],
            parameters: [
              header('webhook-id', 'Of the event.'),
              header('webhook-timestamp', 'Of the attempt, in seconds since 1970.'),
              header('webhook-signature', '`v1,<base64>`: HMAC-SHA256 of `<id>.<timestamp>.<body>`.'),
            ],
            requestBody: {
              required: true,
              content: {
                'application/json': {
                  schema: refTo(ofGeneration ? 'GenerationNotice' : 'DocumentNotice'),
                  ...(ofGeneration && { example }),
                },
              },
            },
            responses: {
              '2XX': { description: 'It has arrived. The body is not read.' },
              '410': { description: 'Send nothing more: the webhook is disabled.' },
            },
          },
        },
      ];
    }),
  );

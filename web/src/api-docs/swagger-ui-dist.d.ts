/** The package has no types. What of https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/ we use. */
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  interface Options {
    url: string;
    dom_id: string;
    deepLinking: boolean;
    docExpansion: 'list' | 'full' | 'none';
    defaultModelsExpandDepth: number;
    displayOperationId: boolean;
    filter: boolean;
    persistAuthorization: boolean;
    validatorUrl: string | null;
  }
  export default function SwaggerUIBundle(options: Options): unknown;
}

import 'swagger-ui-dist/swagger-ui.css';
import SwaggerUIBundle from 'swagger-ui-dist/swagger-ui-es-bundle.js';

/** The page `/docs`: what `/openapi.json` says, for reading and trying out. */
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  filter: true,
  // A token is kept for this tab alone.
  persistAuthorization: false,
  // Else the document is sent to a stranger's server to be checked.
  validatorUrl: null,
});

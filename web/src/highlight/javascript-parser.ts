import { styleTags, tags } from '@lezer/highlight';
import { parser } from '@lezer/javascript';

/** JavaScript and its dialects; methods are functions where they are defined, too, which the grammar's own tags leave out. */
export const javascript = parser.configure({
  props: [
    styleTags({
      'MethodDeclaration/PropertyDefinition MethodDeclaration/PrivatePropertyDefinition': tags.function(
        tags.definition(tags.propertyName),
      ),
    }),
  ],
});

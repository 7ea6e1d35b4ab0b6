import { queryOptions } from '@tanstack/react-query';
import { http } from '../services.js';

/** The models that can be chosen. They change with the server's settings: not while a page is open. */
export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => http.listModels({ signal }),
  staleTime: Infinity,
});

/** A guest's token, kept over reloads. An application with users of its own hands out its tokens instead (`AUTH_MODE=jwt`). */
export async function takeSession(): Promise<string> {
  const kept = localStorage.getItem('token');
  if (kept) return kept;
  const response = await fetch('/v1/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Guest' }),
  });
  const { token } = (await response.json()) as { token: string };
  localStorage.setItem('token', token);
  return token;
}

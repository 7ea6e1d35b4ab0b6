import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { applyAppearance } from './appearance/appearance.js';
import '@fontsource-variable/geist';
import '@fontsource-variable/geist-mono';
import './styles/index.css';

applyAppearance();
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

import { CSPProvider } from '@base-ui/react/csp-provider';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/pages.css';
import { App } from './app.tsx';
import { LanguageProvider } from './texts/language.tsx';

const place = document.getElementById('app');
if (place !== null) {
  createRoot(place).render(
    // The Content-Security-Policy refuses style elements, so the components bring none.
    <CSPProvider disableStyleElements>
      <LanguageProvider>
        <App />
      </LanguageProvider>
    </CSPProvider>,
  );
}

import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './styles.css';
import { App } from './app.tsx';
import { LanguageProvider } from './i18n/language.tsx';

const place = document.getElementById('app');
if (place !== null) {
  render(
    <LanguageProvider>
      <App />
    </LanguageProvider>,
    place,
  );
}

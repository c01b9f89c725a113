import { render } from 'preact';
import '../tokens.css';
import { DocsPage } from './docs-page.js';
import { arrive } from './state.js';

addEventListener('popstate', arrive);
render(<DocsPage />, document.getElementById('page')!);

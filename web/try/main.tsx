import { render } from 'preact';
import '../tokens.css';
import { TryPage } from './try-page.js';

render(<TryPage />, document.getElementById('page')!);
